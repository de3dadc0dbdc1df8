#include "model.hpp"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <mere/audit.hpp>
#include <mere/dump.hpp>

namespace py = pybind11;

namespace mere::python {

namespace {

template <class Word>
Word word_of(std::optional<Word> found, const std::string& text, const char* what) {
  if (!found) throw Error(Reason::bad_argument, std::string(what) + " has no value '" + text + "'");
  return *found;
}

OpenOptions options_of(const std::string& verify, const std::string& expand, const std::string& content_id,
                       unsigned threads) {
  OpenOptions options;
  options.verify = word_of(find_verify(verify), verify, "verify");
  options.expand = word_of(find_expand(expand), expand, "expand");
  options.keep_descriptor = true;
  options.threads = threads;
  if (!content_id.empty()) {
    options.content_id = ContentId::parse(content_id);
    if (!options.content_id) throw Error(Reason::bad_argument, "'" + content_id + "' is no content id");
  }
  return options;
}

// Bytes of a Python object, held until the last handle of the model is gone, in whatever thread that is.
std::shared_ptr<const void> hold(const py::buffer& bytes, std::span<const std::byte>& span) {
  auto view = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(bytes.ptr(), view.get(), PyBUF_SIMPLE) != 0) throw py::error_already_set();
  span = {static_cast<const std::byte*>(view->buf), static_cast<std::size_t>(view->len)};
  return std::shared_ptr<const void>(view.release(), [](const void* held) {
    auto* buffer = static_cast<Py_buffer*>(const_cast<void*>(held));
    // At the end of the interpreter there is nobody to give it back to.
    if (Py_IsInitialized()) {
      const py::gil_scoped_acquire gil;
      PyBuffer_Release(buffer);
    }
    delete buffer;
  });
}

py::object program_id_of(const ModelInfo& info) {
  return info.program_id ? py::object(py::str(info.program_id->to_text())) : py::none();
}

std::optional<ModelNode> node_of(const OpenModel& self, const std::optional<Node>& node) {
  if (!node) return std::nullopt;
  return ModelNode{self.model, *node, self.bases};
}

}  // namespace

py::dict info_of(const Model& model) {
  ModelInfo info;
  {
    const py::gil_scoped_release released;
    info = model.info();
  }
  py::dict d;
  d["name"] = info.name;
  d["version"] = py::make_tuple(info.major, info.minor);
  d["file_bytes"] = info.file_bytes;
  d["alignment"] = info.alignment;
  d["content_id"] = info.content_id.to_text();
  d["program_id"] = program_id_of(info);
  d["nodes"] = info.nodes;
  d["arrays"] = info.arrays;
  d["array_bytes"] = info.array_bytes;
  d["stored_bytes"] = info.stored_bytes;
  d["raw_bytes"] = info.raw_bytes;
  d["manifest_bytes"] = info.manifest_bytes;
  d["codecs"] = py::cast(info.codecs);
  d["filters"] = py::cast(info.filters);
  d["has_program"] = info.has_program;
  d["has_metadata"] = info.has_metadata;
  return d;
}

void bind_models(py::module_& module) {
  py::class_<OpenModel>(module, "Model")
      .def_static(
          "from_path",
          [](const std::filesystem::path& path, const std::string& verify, const std::string& expand,
             const std::string& content_id, unsigned threads) {
            const OpenOptions options = options_of(verify, expand, content_id, threads);
            const py::gil_scoped_release released;
            return OpenModel{Model(path, options), {}};
          },
          py::arg("path"), py::arg("verify") = "none", py::arg("expand") = "shared", py::arg("content_id") = "",
          py::arg("threads") = 0)
      .def_static(
          "from_descriptor",
          [](int fd, std::uint64_t offset, std::optional<std::uint64_t> length, const std::string& verify,
             const std::string& expand, const std::string& content_id, unsigned threads) {
            const OpenOptions options = options_of(verify, expand, content_id, threads);
            const py::gil_scoped_release released;
            return OpenModel{Model::from_descriptor(fd, offset, length, options), {}};
          },
          py::arg("fd"), py::arg("offset") = 0, py::arg("length") = py::none(), py::arg("verify") = "none",
          py::arg("expand") = "shared", py::arg("content_id") = "", py::arg("threads") = 0)
      .def_static(
          "from_bytes",
          [](const py::buffer& bytes, const std::string& name, const std::string& verify, const std::string& expand,
             const std::string& content_id, unsigned threads) {
            const OpenOptions options = options_of(verify, expand, content_id, threads);
            std::span<const std::byte> span;
            std::shared_ptr<const void> owner = hold(bytes, span);
            const py::gil_scoped_release released;
            return OpenModel{Model::from_bytes(span, std::move(owner), options, name), {}};
          },
          py::arg("bytes"), py::arg("name") = "bytes", py::arg("verify") = "none", py::arg("expand") = "shared",
          py::arg("content_id") = "", py::arg("threads") = 0)
      // What arrays are views of, those of Fortran order apart: arrays of the file's bytes. None: they are copied.
      .def(
          "set_base",
          [](OpenModel& self, const py::object& rows, const py::object& columns) {
            self.bases = {rows, columns.is_none() ? rows : columns};
          },
          py::arg("rows"), py::arg("columns") = py::none())
      .def_property_readonly("is_based", [](const OpenModel& self) { return static_cast<bool>(self.bases); })
      .def_property_readonly("descriptor", [](const OpenModel& self) { return self.model.descriptor(); })
      .def_property_readonly("name", [](const OpenModel& self) { return self.model.name(); })
      .def_property_readonly("content_id", [](const OpenModel& self) { return self.model.content_id().to_text(); })
      .def_property_readonly("nbytes", [](const OpenModel& self) { return self.model.bytes().size(); })
      .def_property_readonly("expanded", [](const OpenModel& self) { return self.model.expanded(); })
      .def_property_readonly("faulted", [](const OpenModel& self) { return self.model.faulted(); })
      .def("info", [](const OpenModel& self) { return info_of(self.model); })
      .def("stale", [](const OpenModel& self) { return self.model.stale(); })
      .def(
          "sha256", [](const OpenModel& self) { return self.model.sha256(); }, py::call_guard<py::gil_scoped_release>())
      .def(
          "verify", [](const OpenModel& self, unsigned threads) { self.model.verify(threads); }, py::arg("threads") = 0,
          py::call_guard<py::gil_scoped_release>())
      .def("root",
           [](const OpenModel& self) {
             return ModelNode{self.model, self.model.root(), self.bases};
           })
      .def("program", [](const OpenModel& self) { return node_of(self, self.model.program()); })
      .def("metadata", [](const OpenModel& self) { return node_of(self, self.model.metadata()); })
      .def("at", [](const OpenModel& self, const std::string& path) {
        return ModelNode{self.model, self.model.at(path), self.bases};
      });
  module.def("guard_faults", &guard_faults);
  module.def("has_codec", [](const std::string& word) {
    const auto codec = find_codec(word);
    return codec && has_codec(*codec);
  });
}

}  // namespace mere::python
