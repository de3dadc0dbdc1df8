#pragma once
// The version of the library, as meson.build has it.

namespace mere::model {

extern const char* const kVersion;  // "0.1.0"

}  // namespace mere::model
