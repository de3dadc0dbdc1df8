#pragma once
// What Rebuild keeps of a node whose object is in the making.

#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include <mere/node.hpp>

#include "rebuild.hpp"

namespace mere::python {

struct Rebuild::Frame {
  // Of an object, in the order in which unpickling does them.
  enum class Stage : std::uint8_t { type, args, kwargs, make, items, entries, state, done };

  Node node;
  Kind kind = Kind::null;
  Stage stage = Stage::type;
  bool is_state = false;              // a dict that becomes the attributes of an object
  std::uint64_t next = 0, count = 0;  // members done, and all
  pybind11::object made;              // the container, or what its members are collected in
  pybind11::object key;               // of a dict's entry whose value is in the making
  pybind11::object args, kwargs;      // of an object
  pybind11::object collected;         // items that are appended together
};

// Everything that a node of any kind refers to.
template <class Visit>
void for_each_child(const Node& at, Kind kind, const Visit& visit) {
  switch (kind) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::frozenset:
    case Kind::slice:
    case Kind::range:
      for (std::uint64_t i = 0, count = at.size(); i < count; ++i) visit(at[static_cast<std::size_t>(i)]);
      return;
    case Kind::dict:
      for (std::uint64_t i = 0, count = at.size(); i < count; ++i) {
        visit(at.key(static_cast<std::size_t>(i)));
        visit(at.value(static_cast<std::size_t>(i)));
      }
      return;
    case Kind::array:
      if (at.dtype().type_class() != TypeClass::object) return;
      for (std::uint64_t i = 0, count = at.size(); i < count; ++i) visit(at[static_cast<std::size_t>(i)]);
      return;
    case Kind::object:
      for (const auto& part : {at.args(), at.kwargs(), at.state(), at.items(), at.entries()}) {
        if (part) visit(*part);
      }
      return;
    default: return;
  }
}

}  // namespace mere::python
