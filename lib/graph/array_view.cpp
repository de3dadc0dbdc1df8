#include <mere/array.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "graph/read.hpp"
#include "graph/strided_copy.hpp"

namespace mere {

using format::Image;
using graph::ResolvedArray;

namespace {

// Encoded arrays that reach far for what they hold are read block by block, others whole.
constexpr std::uint64_t kWholeBytes = 64 << 20;

ResolvedArray resolve(const Image* image, std::uint32_t node) {
  if (image == nullptr) throw Error(Reason::bad_argument, "an array of no model");
  return graph::resolve_array(*image, node, image->node(node));
}

// True if elements of type `found` can be read as `wanted`, in either byte order.
bool readable_as(const Dtype& found, const Dtype& wanted) {
  if (found.itemsize() != wanted.itemsize()) return false;
  if (found.type_class() == wanted.type_class()) {
    return found.type_class() != TypeClass::record && found.type_class() != TypeClass::subarray;
  }
  // Times are counts.
  return wanted.type_class() == TypeClass::integer &&
         (found.type_class() == TypeClass::datetime || found.type_class() == TypeClass::timedelta);
}

[[noreturn]] void throw_type(const Image& image, std::uint32_t node, const Dtype& found, const Dtype& wanted) {
  throw Error(Reason::wrong_type, graph::where(image, node) + ": elements are " + found.to_text() + ", not " +
                                      wanted.to_text() + "; ask for that type, or copy_to() the bytes");
}

const std::byte* mapped_data(const Image& image, std::uint32_t node, const ResolvedArray& array) {
  if (array.span == 0) return image.bytes().data();
  const std::byte* data = graph::find_data(image, array);
  if (data == nullptr) {
    throw Error(Reason::not_mapped, graph::where(image, node) +
                                        ": the array is compressed; use copy(), or open the file "
                                        "with another expand");
  }
  return data;
}

// Reads elements of an encoded buffer one by one, keeping the block read last.
void read_far(const Image& image, const ResolvedArray& array, std::span<std::byte> out) {
  const std::uint64_t raw = image.buffer(array.buffer).raw_bytes;
  std::vector<std::byte> block;
  std::uint64_t block_at = UINT64_MAX;
  const auto fetch = [&](std::uint64_t offset, std::span<std::byte> to) {
    while (!to.empty()) {
      const std::uint64_t begin = offset / format::kBlockBytes * format::kBlockBytes;
      if (begin != block_at) {
        if (begin >= raw) throw Error(Reason::out_of_bounds, image.name() + ": an array reaches outside its buffer");
        block.resize(static_cast<std::size_t>(std::min(format::kBlockBytes, raw - begin)));
        image.read_buffer(array.buffer, begin, block);
        block_at = begin;
      }
      const std::uint64_t inside = offset - begin;
      if (inside >= block.size())
        throw Error(Reason::out_of_bounds, image.name() + ": an array reaches outside its buffer");
      const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(block.size() - inside, to.size()));
      std::memcpy(to.data(), block.data() + inside, bytes);
      to = to.subspan(bytes);
      offset += bytes;
    }
  };
  std::array<std::int64_t, kMaxDims> index{};
  std::int64_t offset = 0;
  const auto itemsize = static_cast<std::size_t>(array.itemsize);
  for (std::uint64_t i = 0; i < array.elements; ++i) {
    fetch(array.first + static_cast<std::uint64_t>(offset),
          out.subspan(static_cast<std::size_t>(i) * itemsize, itemsize));
    for (std::size_t d = array.shape.size(); d-- > 0;) {
      offset += array.strides[d];
      if (++index[d] < array.shape[d]) break;
      offset -= array.strides[d] * array.shape[d];
      index[d] = 0;
    }
  }
}

}  // namespace

Dtype ArrayView::dtype() const {
  return graph::read_dtype(*image_, resolve(image_, node_).type);
}
std::size_t ArrayView::ndim() const {
  return resolve(image_, node_).shape.size();
}
Dims ArrayView::shape() const {
  return std::move(resolve(image_, node_).shape);
}
Dims ArrayView::strides() const {
  return std::move(resolve(image_, node_).strides);
}
std::uint64_t ArrayView::size() const {
  return resolve(image_, node_).elements;
}
std::uint64_t ArrayView::nbytes() const {
  return resolve(image_, node_).nbytes;
}
bool ArrayView::c_contiguous() const {
  return graph::is_dense(resolve(image_, node_), false);
}
bool ArrayView::f_contiguous() const {
  return graph::is_dense(resolve(image_, node_), true);
}

bool ArrayView::is_mapped() const {
  const ResolvedArray array = resolve(image_, node_);
  return array.span == 0 || graph::find_data(*image_, array) != nullptr;
}

const std::byte* ArrayView::data() const {
  return mapped_data(*image_, node_, resolve(image_, node_));
}

std::span<const std::byte> ArrayView::bytes() const {
  const ResolvedArray array = resolve(image_, node_);
  if (!graph::is_dense(array, false)) {
    throw Error(Reason::not_contiguous, graph::where(*image_, node_) + ": strides " + array.strides.to_text() +
                                            " of shape " + array.shape.to_text() +
                                            " are not in C order; use copy_to()");
  }
  return {mapped_data(*image_, node_, array), static_cast<std::size_t>(array.nbytes)};
}

const std::byte* ArrayView::typed_data(const Dtype& type, std::size_t alignment, bool contiguous) const {
  const ResolvedArray array = resolve(image_, node_);
  const Dtype found = graph::read_dtype(*image_, array.type);
  if (!readable_as(found, type)) throw_type(*image_, node_, found, type);
  if (found.byte_order() == ByteOrder::big) {
    throw Error(Reason::not_native, graph::where(*image_, node_) + ": elements are " + found.to_text() +
                                        ", in the byte order of other machines; use copy() or values()");
  }
  if (contiguous && !graph::is_dense(array, false)) {
    throw Error(Reason::not_contiguous, graph::where(*image_, node_) + ": strides " + array.strides.to_text() +
                                            " of shape " + array.shape.to_text() +
                                            " are not in C order; use copy() or values()");
  }
  const std::byte* data = mapped_data(*image_, node_, array);
  bool aligned = array.span == 0 || reinterpret_cast<std::uintptr_t>(data) % alignment == 0;
  for (std::size_t d = 0; d < array.shape.size(); ++d) {
    if (array.shape[d] > 1) aligned = aligned && array.strides[d] % static_cast<std::int64_t>(alignment) == 0;
  }
  if (!aligned) {
    throw Error(Reason::not_aligned, graph::where(*image_, node_) + ": elements do not lie at multiples of " +
                                         std::to_string(alignment) + " bytes; use copy() or values()");
  }
  return data;
}

const std::byte* ArrayView::value_data(const Dtype& type, bool& swap) const {
  const ResolvedArray array = resolve(image_, node_);
  const Dtype found = graph::read_dtype(*image_, array.type);
  if (!readable_as(found, type)) throw_type(*image_, node_, found, type);
  swap = found.byte_order() == ByteOrder::big;
  return mapped_data(*image_, node_, array);
}

const std::byte* ArrayView::field_data(std::string_view name, const Dtype& type, bool& swap) const {
  const ResolvedArray array = resolve(image_, node_);
  const format::TypeRecord record = image_->type(array.type);
  if (record.type_class == static_cast<std::uint8_t>(TypeClass::record)) {
    for (std::uint64_t i = 0; i < record.count; ++i) {
      const format::FieldRecord field = image_->field(record.first + i);
      if (field.name_bytes != name.size()) continue;
      const std::span<const std::byte> bytes = image_->heap(field.name, field.name_bytes);
      if (!std::equal(name.begin(), name.end(), reinterpret_cast<const char*>(bytes.data()))) continue;
      const Dtype found = graph::read_dtype(*image_, field.type);
      if (!readable_as(found, type)) throw_type(*image_, node_, found, type);
      if (!range_fits(field.offset, found.itemsize(), array.itemsize)) {
        throw Error(Reason::bad_type,
                    graph::where(*image_, node_) + ": field " + std::string(name) + " lies outside its record");
      }
      swap = found.byte_order() == ByteOrder::big;
      const std::byte* data = mapped_data(*image_, node_, array);
      return array.span == 0 ? data : data + field.offset;
    }
  }
  throw Error(Reason::no_path, graph::where(*image_, node_) + ": elements of type " +
                                   graph::read_dtype(*image_, array.type).to_text() + " have no field \"" +
                                   std::string(name) + "\"");
}

bool ArrayView::check_copy(const Dtype& type) const {
  const Dtype found = dtype();
  if (!readable_as(found, type)) throw_type(*image_, node_, found, type);
  return found.byte_order() == ByteOrder::big;
}

void ArrayView::copy_to(std::span<std::byte> out) const {
  const ResolvedArray array = resolve(image_, node_);
  if (out.size() != array.nbytes) {
    throw Error(Reason::bad_argument, graph::where(*image_, node_) + ": copy_to() of " + std::to_string(array.nbytes) +
                                          " bytes into " + std::to_string(out.size()));
  }
  if (out.empty()) return;
  std::unique_ptr<std::byte[]> held;
  const std::byte* data = graph::find_data(*image_, array);
  if (data == nullptr) {
    if (graph::is_dense(array, false)) return image_->read_buffer(array.buffer, array.first, out);
    if (array.span > kWholeBytes && array.span / 4 > array.nbytes) return read_far(*image_, array, out);
    held.reset(new (std::nothrow) std::byte[array.span]);
    if (!held) throw Error::out_of_memory();
    image_->read_buffer(array.buffer, array.low, std::span(held.get(), static_cast<std::size_t>(array.span)));
    data = held.get() + (array.first - array.low);
  }
  graph::StridedBytes(data, array.shape, array.strides, array.itemsize, false, {}).gather(0, out);
  image_->check_faults();
}

}  // namespace mere
