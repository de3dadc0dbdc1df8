#include "exporters/array_bytes.hpp"

#include <algorithm>

namespace mere::exporters {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

}  // namespace

ArrayBytes::ArrayBytes(const Graph::Store& store, NodeId node, std::optional<bool> fortran) {
  const Graph::Store::Node& record = store.at(node);
  if (record.kind != Kind::array || (record.flags & Graph::Store::kObjects) != 0) {
    throw Error(Reason::wrong_kind, "expected an array of numbers, found " + std::string(to_text(record.kind)));
  }
  const Graph::Store::Array& array = store.arrays[record.a];
  type_ = &store.types[array.type];
  const std::span<const std::int64_t> extents(store.extents.data() + array.extent, std::size_t{2} * array.ndim);
  std::vector<std::int64_t> shape(extents.begin(), extents.begin() + array.ndim);
  std::vector<std::int64_t> strides(extents.begin() + array.ndim, extents.end());
  const bool inner = type_->type_class() == TypeClass::subarray;
  while (type_->type_class() == TypeClass::subarray) {
    std::int64_t step = static_cast<std::int64_t>(type_->itemsize());
    for (const std::int64_t n : type_->shape()) {
      step = n == 0 ? 0 : step / n;
      shape.push_back(n);
      strides.push_back(step);
    }
    type_ = &type_->base();
  }
  if (shape.size() > kMaxDims) {
    throw Error(Reason::not_supported, "an array of " + std::to_string(shape.size()) + " dimensions");
  }
  shape_ = Dims(shape.size());
  strides_ = Dims(shape.size());
  std::copy(shape.begin(), shape.end(), shape_.data());
  std::copy(strides.begin(), strides.end(), strides_.data());
  first_ = array.first;
  const bool f_order = array.f_order && !inner;
  fortran_ = fortran.value_or(f_order && !array.c_order);
  dense_ = fortran_ ? f_order : array.c_order;
  size_ = array.elements * store.types[array.type].itemsize();
  if (type_->has_holes()) covered_ = graph::covered_bytes(*type_);
}

std::optional<std::span<const std::byte>> ArrayBytes::direct() const {
  if (size_ == 0) return std::span<const std::byte>();
  if (!dense_ || !covered_.empty()) return std::nullopt;
  return std::span(first_, static_cast<std::size_t>(size_));
}

void ArrayBytes::read(const std::function<void(std::span<const std::byte>)>& take) const {
  if (const auto whole = direct()) {
    for (std::size_t at = 0; at < whole->size(); at += kPieceBytes) {
      take(whole->subspan(at, std::min(kPieceBytes, whole->size() - at)));
    }
    return;
  }
  const graph::StridedBytes strided(first_, shape_, strides_, type_->itemsize(), fortran_, covered_);
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, size_)));
  for (std::uint64_t at = 0; at < size_; at += piece.size()) {
    const auto part =
        std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size_ - at)));
    strided.gather(at, part);
    take(part);
  }
}

}  // namespace mere::exporters
