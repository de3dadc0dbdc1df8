#pragma once
// Python objects from the nodes of an open model. Everything is made as unpickling makes it, in the same order, and
// nothing else is: types and functions come from a finder that the caller gives, and who is trusted is settled before.

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mere/array_layout.hpp>
#include <mere/model.hpp>
#include <mere/states.hpp>

#include "model.hpp"

namespace mere::python {

// What the caller decides. All are Python callables.
struct RebuildJoints {
  pybind11::object find;  // (module, qualname) -> the type or function
  // type's present full name -> (rebuild, node id, type) -> object, or NotImplemented: it is made as any other
  pybind11::dict hooks;
  pybind11::object open;     // (name, format, bytes, path) -> what an opaque part holds
  pybind11::object migrate;  // (type's present full name, version it was written by, state) -> state
  pybind11::dict running;    // key of a state -> the version that is running: {"_sklearn_version": "1.2.1"}
};

// Objects are made once: a node that is asked for again gives the same object. Iterative: the depth of the data costs
// no stack. Lives as long as somebody may ask for more. The GIL is held throughout; not to be shared between threads
// beyond that. All throw Error (bad_node, schema, bad_record, too_large, ...) and what Python raises.
class Rebuild {
 public:
  Rebuild(OpenModel model, RebuildJoints joints);
  ~Rebuild();
  Rebuild(const Rebuild&) = delete;
  Rebuild& operator=(const Rebuild&) = delete;

  // Holds the states of all that `id` leads to against their validators, but for the parts that a hook skips: entries
  // of a hooked object's state that the hook's attribute `skips` names. Nodes are checked once.
  void prepare(NodeId id);
  // prepare(), and the object.
  pybind11::object build(NodeId id);
  // The state of an object as a new dict, without the names given; ready to be set.
  pybind11::dict build_state(NodeId id, const std::vector<std::string>& skip);
  // `object` stands for the node from now on: for hooks whose object is part of a cycle.
  void remember(NodeId id, const pybind11::object& object);
  pybind11::object known(NodeId id) const;
  // `call` makes what is kept of each array that is copied out of the file: (array) -> array.
  // There is nothing to check: the file names no types.
  void set_plain() { is_plain_ = true; }
  void set_copied(pybind11::object call) { copied_ = std::move(call); }
  // Each type's present full name and the version that its state says it was written by, in the order of nodes.
  std::vector<std::pair<std::string, std::string>> versions();

  Node node(NodeId id) const;
  std::string type_name(NodeId id);  // of an object: the present full name of its type; else empty
  const OpenModel& model() const { return model_; }
  const RebuildJoints& joints() const { return joints_; }

  int traverse(visitproc visit, void* arg) const;
  void clear();

 private:
  struct Type {
    pybind11::object value;  // null until it is looked up
    pybind11::handle hook;   // null: none
    std::vector<std::string> skips;
    std::string today;  // present full name
    bool is_method = false, is_array = false, is_masked = false;
  };
  struct Frame;
  using Frames = std::vector<Frame>;

  PyObject* run(NodeId id);
  PyObject* get(NodeId id, Frames& frames);
  pybind11::object make_leaf(const Node& node, Kind kind);
  void start(Frame& frame);
  bool step(Frames& frames);
  bool step_sequence(Frame& frame, Frames& frames);
  bool step_dict(Frame& frame, Frames& frames);
  bool step_object(Frame& frame, Frames& frames);
  bool step_opaque(Frame& frame, Frames& frames);
  bool make_object(Frame& frame, Frames& frames);
  bool add_items(Frame& frame, Frames& frames);
  bool add_entries(Frame& frame, Frames& frames);
  bool set_state(Frame& frame, Frames& frames);
  void apply_state(Frame& frame, pybind11::object state);
  pybind11::object ready_state(const Type& type, pybind11::object state);
  Node reach(NodeId id);
  void prepare_skipped(const Node& object, const Type& type);
  void enter(NodeId id, std::uint64_t members);
  void finish(NodeId id, const pybind11::object& object);
  Type& type_of(const Node& name);
  pybind11::object type_value(Type& type, const Node& name);
  pybind11::object array_of(const ArrayLayout& array, const Node& node);
  [[noreturn]] void fail_for_python(const Frame& frame, pybind11::error_already_set& error);

  OpenModel model_;
  RebuildJoints joints_;
  pybind11::object copied_;
  bool is_plain_ = false;
  const format::Image* image_;
  ArrayLayouts layouts_;
  std::unordered_map<std::uint32_t, pybind11::object> element_types_;  // NumPy's, by type id
  std::vector<PyObject*> made_;                                        // by node
  std::vector<bool> prepared_;                                         // by node
  std::unordered_map<NodeId, Type> types_;                             // by name node
  std::unordered_map<NodeId, std::uint64_t> open_;  // what is made after its parts: containers_ when it was begun
  std::uint64_t containers_ = 0;                    // made empty so far
  std::uint64_t restarts_ = 0, restarted_members_ = 0;
  int depth_ = 0;  // of run() inside run()
  StateValidator validator_;
};

void bind_rebuild(pybind11::module_& module);

}  // namespace mere::python
