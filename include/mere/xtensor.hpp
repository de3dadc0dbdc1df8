#pragma once
// Arrays of a model as xtensor expressions over the map, without a copy. Optional: needs xtensor 0.24 or later, which
// nothing else in mere's headers does. The views borrow, as ArrayView does: keep the model while you use them.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

// xtensor moved its headers in 0.26.
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include <mere/record.hpp>

namespace mere {

namespace detail {

// Shape and strides in elements, into containers of the caller's. xtensor wants stride 0 where the length is 1, and
// counts from the first element upwards.
template <class Shape, class Strides>
void fill_xtensor_layout(const Dims& shape, const Dims& strides, std::size_t item, Shape& out_shape,
                         Strides& out_strides) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto size = static_cast<std::int64_t>(item);
    if (shape[i] > 1 && strides[i] % size != 0) {
      throw Error(Reason::not_aligned, "a stride of " + std::to_string(strides[i]) + " bytes is no multiple of the " +
                                           std::to_string(item) + " of an element: use copy()");
    }
    if (shape[i] > 1 && strides[i] < 0) {
      throw Error(Reason::not_contiguous, "xtensor has no views with negative strides: use copy() or values()");
    }
    out_shape[i] = static_cast<std::size_t>(shape[i]);
    out_strides[i] = shape[i] > 1 ? static_cast<std::ptrdiff_t>(strides[i] / size) : 0;
  }
}

// What xtensor takes for the size of the memory, and never uses but to hold it against the shape.
template <class Shape>
std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const std::size_t n : shape) count *= n;
  return count;
}

}  // namespace detail

// A constant xtensor adaptor of N dimensions at the array's own strides.
// Throws Error: wrong_type, wrong_shape (not N dimensions), not_native, not_aligned, not_contiguous (negative strides),
// not_mapped; the message names copy().
template <class T, std::size_t N>
auto as_xtensor(const ArrayView& array) {
  const T* first = reinterpret_cast<const T*>(array.typed_data(Dtype::of<T>(), alignof(T), false));
  if (array.ndim() != N) {
    throw Error(Reason::wrong_shape, "an array of shape " + array.shape().to_text() + " found, one of " +
                                         std::to_string(N) + " dimensions expected");
  }
  std::array<std::size_t, N> shape{};
  std::array<std::ptrdiff_t, N> strides{};
  detail::fill_xtensor_layout(array.shape(), array.strides(), sizeof(T), shape, strides);
  return xt::adapt(std::move(first), detail::element_count(shape), xt::no_ownership(), shape, strides);
}
template <class T, std::size_t N>
auto as_xtensor(const Node& node) {
  return as_xtensor<T, N>(node.array());
}

// The same with the number of dimensions found in the file.
template <class T>
auto as_xarray(const ArrayView& array) {
  const T* first = reinterpret_cast<const T*>(array.typed_data(Dtype::of<T>(), alignof(T), false));
  std::vector<std::size_t> shape(array.ndim());
  std::vector<std::ptrdiff_t> strides(array.ndim());
  detail::fill_xtensor_layout(array.shape(), array.strides(), sizeof(T), shape, strides);
  return xt::adapt(std::move(first), detail::element_count(shape), xt::no_ownership(), shape, strides);
}
template <class T>
auto as_xarray(const Node& node) {
  return as_xarray<T>(node.array());
}

// An Array of a loaded record: N of its dimensions, or as many as it has. Borrows from `array`.
template <std::size_t N, class T>
auto as_xtensor(const Array<T>& array) {
  if (array.shape().size() != N) {
    throw Error(Reason::wrong_shape, "an array of shape " + array.shape().to_text() + " found, one of " +
                                         std::to_string(N) + " dimensions expected");
  }
  std::array<std::size_t, N> shape{};
  for (std::size_t i = 0; i < N; ++i) shape[i] = static_cast<std::size_t>(array.shape()[i]);
  const T* first = array.data();
  return xt::adapt(std::move(first), array.size(), xt::no_ownership(), shape);
}

// xt::xtensor and xt::xarray as members of records: arrays in the file, copied out when loaded.
template <class T, std::size_t N>
struct Stored<xt::xtensor<T, N>> {
  static NodeId write(RecordWriter& w, const xt::xtensor<T, N>& value) {
    const std::vector<std::int64_t> shape(value.shape().begin(), value.shape().end());
    return w.array(detail::element_type<T>(), shape, value.data());
  }
  static void read(RecordReader& r, const Node& node, xt::xtensor<T, N>& out) {
    const ArrayView view = r.array(node, detail::element_type<T>());
    if (view.ndim() != N)
      r.fail(Reason::wrong_shape, node, view.shape().to_text() + " has not " + std::to_string(N) + " dimensions");
    r.charge_copy(node, view.nbytes());
    std::array<std::size_t, N> shape{};
    const Dims dims = view.shape();
    for (std::size_t i = 0; i < N; ++i) shape[i] = static_cast<std::size_t>(dims[i]);
    out.resize(shape);
    r.copy_array(view, std::as_writable_bytes(std::span<T>(out.data(), out.size())));
  }
};
template <class T>
struct Stored<xt::xarray<T>> {
  static NodeId write(RecordWriter& w, const xt::xarray<T>& value) {
    const std::vector<std::int64_t> shape(value.shape().begin(), value.shape().end());
    return w.array(detail::element_type<T>(), shape, value.data());
  }
  static void read(RecordReader& r, const Node& node, xt::xarray<T>& out) {
    const ArrayView view = r.array(node, detail::element_type<T>());
    r.charge_copy(node, view.nbytes());
    std::vector<std::size_t> shape;
    for (const std::int64_t n : view.shape()) shape.push_back(static_cast<std::size_t>(n));
    out.resize(shape);
    r.copy_array(view, std::as_writable_bytes(std::span<T>(out.data(), out.size())));
  }
};

}  // namespace mere
