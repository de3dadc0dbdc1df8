#include "pickler.hpp"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mere/convert.hpp>
#include <mere/dump.hpp>
#include <mere/object_stream.hpp>

#include "errors.hpp"
#include "stream_builder.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

constexpr const char* kBuilder = "mere.StreamBuilder";

// Called for every object that is pickled: a plain C function, without the binding's own work.
PyObject* persistent_id(PyObject* self, PyObject* object) {
  auto* builder = static_cast<StreamBuilder*>(PyCapsule_GetPointer(self, kBuilder));
  try {
    const std::int64_t number = builder->part_of(object);
    if (number < 0) Py_RETURN_NONE;
    return PyLong_FromLongLong(number);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const Error& error) {
    set_python_error(error);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return nullptr;
}

PyMethodDef kPersistentId = {"persistent_id", persistent_id, METH_O, "The number that stands for an object, or None."};

py::object persistent_id_of(const py::object& builder) {
  auto* pointer = py::cast<StreamBuilder*>(builder);
  const auto capsule = py::reinterpret_steal<py::object>(PyCapsule_New(
      pointer, kBuilder, [](PyObject* self) { Py_XDECREF(static_cast<PyObject*>(PyCapsule_GetContext(self))); }));
  if (!capsule) throw py::error_already_set();
  PyCapsule_SetContext(capsule.ptr(), py::object(builder).release().ptr());
  return py::reinterpret_steal<py::object>(PyCFunction_New(&kPersistentId, capsule.ptr()));
}

// A graph with all that its arrays lie in.
struct ObjectGraph {
  Graph graph;
  std::shared_ptr<py::buffer_info> stream;
  py::object builder;
};

template <class Word>
Word word_of(std::optional<Word> found, const std::string& text, const char* what) {
  if (!found) throw Error(Reason::bad_argument, std::string(what) + " has no value '" + text + "'");
  return *found;
}

template <class T>
T option(const py::dict& options, const char* name, T otherwise) {
  return options.contains(name) ? options[name].cast<T>() : otherwise;
}

struct PythonProgress {
  py::object call;
  std::unique_ptr<py::error_already_set> raised;

  std::function<void(const Progress&)> function() {
    if (!call || call.is_none()) return {};
    return [this](const Progress& progress) {
      const py::gil_scoped_acquire gil;
      try {
        call(progress.done_bytes, progress.total_bytes);
      } catch (py::error_already_set& error) {
        raised = std::make_unique<py::error_already_set>(std::move(error));
        throw Error(Reason::interrupted, "stopped by its progress function");
      }
    };
  }
};

DumpOptions dump_options(const py::dict& options, PythonProgress& progress) {
  DumpOptions dump;
  const auto codec = option<std::string>(options, "codec", "none");
  dump.codec = word_of(find_codec(codec), codec, "codec");
  dump.level = option<int>(options, "level", 0);
  dump.filters = option<bool>(options, "filters", true);
  dump.alignment = option<std::uint64_t>(options, "alignment", 4096);
  const auto durability = option<std::string>(options, "durability", "full");
  dump.durability = word_of(find_durability(durability), durability, "durability");
  dump.threads = option<unsigned>(options, "threads", 0);
  if (options.contains("progress")) progress.call = options["progress"];
  dump.progress = progress.function();
  return dump;
}

// Runs `call` without the GIL; what a progress function raised is raised again.
template <class Call>
auto unlocked(PythonProgress& progress, const Call& call) {
  try {
    const py::gil_scoped_release released;
    return call();
  } catch (const Error&) {
    if (!progress.raised) throw;
  }
  throw py::error_already_set(std::move(*progress.raised));
}

py::dict described(const DumpResult& result) {
  py::dict d;
  d["content_id"] = result.content_id.to_text();
  d["file_bytes"] = result.file_bytes;
  return d;
}

ObjectGraph graph_of(const py::object& builder, const py::buffer& stream) {
  ObjectGraph made;
  made.stream = std::make_shared<py::buffer_info>(stream.request());
  made.builder = builder;
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(made.stream->ptr),
                                         static_cast<std::size_t>(made.stream->size * made.stream->itemsize));
  const StreamParts& parts = py::cast<StreamBuilder&>(builder).parts();
  const py::gil_scoped_release released;
  made.graph = read_object_stream(bytes, parts);
  return made;
}

}  // namespace

void bind_pickler(py::module_& module) {
  py::class_<StreamBuilder>(module, "StreamBuilder")
      .def(py::init<py::object, py::handle>(), py::arg("dump_opaque"), py::arg("map_type"))
      .def("__len__", [](const StreamBuilder& self) { return self.parts().size(); })
      .def_property_readonly("persistent_id", [](const py::object& self) { return persistent_id_of(self); })
      .def("graph", &graph_of, py::arg("stream"));
  py::class_<ObjectGraph>(module, "ObjectGraph")
      .def(
          "add_program",
          [](ObjectGraph& self, const std::string& word, unsigned threads) {
            const StoreProgram mode = word_of(find_store_program(word), word, "program");
            AddedProgram added;
            {
              const py::gil_scoped_release released;
              added = add_program(self.graph, mode, threads);
            }
            return py::make_tuple(added.added, added.why_not);
          },
          py::arg("program"), py::arg("threads") = 0, "Adds the program of the model: (added, why not).")
      .def("dump_path",
           [](const ObjectGraph& self, const std::filesystem::path& path, const py::dict& options) {
             PythonProgress progress;
             const DumpOptions dump = dump_options(options, progress);
             return described(unlocked(progress, [&] { return mere::dump(self.graph, path, dump); }));
           })
      .def("dump_descriptor",
           [](const ObjectGraph& self, int fd, const py::dict& options) {
             PythonProgress progress;
             const DumpOptions dump = dump_options(options, progress);
             return described(unlocked(progress, [&] { return mere::dump_descriptor(self.graph, fd, dump); }));
           })
      .def("dump_bytes", [](const ObjectGraph& self, const py::dict& options) {
        PythonProgress progress;
        const DumpOptions dump = dump_options(options, progress);
        const std::vector<std::byte> bytes = unlocked(progress, [&] { return mere::dump_bytes(self.graph, dump); });
        return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      });
  module.def(
      "import_to_descriptor",
      [](const std::filesystem::path& path, int fd, std::vector<std::string> trusted) {
        ConvertOptions options;
        options.trusted = std::move(trusted);
        options.program = StoreProgram::none;
        options.source_digest = false;
        const py::gil_scoped_release released;
        return convert_to_descriptor(path, fd, options).source_format;
      },
      py::arg("path"), py::arg("fd"), py::arg("trusted") = std::vector<std::string>(),
      "Writes a foreign file as a .mere to a descriptor: its format.");
}

}  // namespace mere::python
