// An array of a model as an .npy file: the header from its type and shape, then the elements piece by piece.

#include <algorithm>
#include <ostream>
#include <vector>

#include <mere/convert.hpp>

#include "container/npy.hpp"
#include "model/guarded.hpp"

namespace mere {

void write_npy(const ArrayView& array, std::ostream& out) {
  model::guarded([&] {
    const Dims shape = array.shape();
    // Fortran order is written as it lies; anything else in C order.
    const bool fortran = array.is_mapped() && !array.c_contiguous() && array.f_contiguous();
    const std::string header = container::npy_header(array.dtype(), shape, fortran);
    const auto write = [&](const void* bytes, std::uint64_t size) {
      out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
      if (!out) throw Error(Reason::system_call, "npy: the stream cannot be written");
    };
    write(header.data(), header.size());
    if (array.nbytes() == 0) return;
    if (array.is_mapped() && (fortran || array.c_contiguous())) {
      write(array.data(), array.nbytes());
      return;
    }
    // TODO(perf): strided and compressed arrays are gathered whole before they are written.
    std::vector<std::byte> elements(array.nbytes());
    array.copy_to(elements);
    write(elements.data(), elements.size());
  });
}

}  // namespace mere
