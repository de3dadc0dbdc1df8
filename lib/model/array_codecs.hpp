#pragma once
// A codec for each array, asked of the caller.

#include <functional>

#include <mere/dump.hpp>

#include "format/columns.hpp"
#include "format/writer.hpp"

namespace mere::model {

// WriteOptions::codec_for by way of DumpOptions::codec_for. A buffer that holds several arrays gets the codec on which
// the answers for all of them agree, else DumpOptions::codec. `columns` and `options` outlive the result.
std::function<codec::EncodeChoice(std::uint32_t buffer)> array_codecs(const format::Columns& columns,
                                                                      const DumpOptions& options);

}  // namespace mere::model
