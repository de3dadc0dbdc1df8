// An array of a model as an .npy file: the header from its type and shape, then the elements piece by piece.

#include <algorithm>
#include <ostream>
#include <vector>

#include <mere/convert.hpp>

#include "container/npy.hpp"
#include "format/block_reader.hpp"
#include "graph/read.hpp"
#include "graph/strided_copy.hpp"
#include "model/guarded.hpp"

namespace mere {

namespace {

class NpyStream {
 public:
  explicit NpyStream(std::ostream& out) : out_(out) {}

  void write(const void* bytes, std::uint64_t size) {
    out_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    if (!out_) throw Error(Reason::system_call, "npy: the stream cannot be written");
  }

  // The array in C order, gathered a piece at a time.
  void write_strided(const std::byte* first, const graph::ResolvedArray& array) {
    const graph::StridedBytes elements(first, array.shape, array.strides, array.itemsize, false, {});
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min(array.nbytes, format::kBlockBytes)));
    for (std::uint64_t at = 0; at < array.nbytes; at += piece.size()) {
      piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), array.nbytes - at)));
      elements.gather(at, piece);
      write(piece.data(), piece.size());
    }
  }

  // The array as it lies in its buffer, decoded block by block.
  void write_decoded(const format::Image& image, const graph::ResolvedArray& array) {
    format::BlockReader reader(image);
    std::vector<std::byte> piece;
    const std::uint64_t end = array.low + array.span;
    for (std::uint64_t at = array.low; at < end; at += piece.size()) {
      piece.resize(static_cast<std::size_t>(std::min(format::kBlockBytes - at % format::kBlockBytes, end - at)));
      reader.read(array.buffer, at, piece);
      write(piece.data(), piece.size());
    }
  }

 private:
  std::ostream& out_;
};

}  // namespace

void write_npy(const ArrayView& array, std::ostream& out) {
  model::guarded([&] {
    const Dims shape = array.shape();
    // Fortran order is written as it lies; anything else in C order.
    const bool fortran = !array.c_contiguous() && array.f_contiguous();
    const std::string header = container::npy_header(array.dtype(), shape, fortran);
    NpyStream stream(out);
    stream.write(header.data(), header.size());
    const format::Image& image = *array.image();
    const graph::ResolvedArray found = graph::resolve_array(image, array.node_id(), image.node(array.node_id()));
    if (found.nbytes == 0) return;
    const bool dense = graph::is_dense(found, fortran);
    if (const std::byte* data = graph::find_data(image, found)) {
      dense ? stream.write(data, found.nbytes) : stream.write_strided(data, found);
    } else if (dense) {
      stream.write_decoded(image, found);
    } else {
      // A view of a compressed buffer reaches all over its blocks: they are decoded once, and held meanwhile.
      std::vector<std::byte> elements(static_cast<std::size_t>(found.nbytes));
      array.copy_to(elements);
      stream.write(elements.data(), elements.size());
    }
    image.check_faults();
  });
}

}  // namespace mere
