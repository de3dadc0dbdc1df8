#include "audit.hpp"

#include <mere/audit.hpp>
#include <mere/states.hpp>

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <string>
#include <vector>

#include "model.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

py::dict described(const AuditReport& report) {
  py::list names, opaque, capabilities;
  for (const AuditedName& name : report.names) {
    py::dict row;
    row["name"] = name.name;
    row["uses"] = name.uses;
    row["offset"] = name.offset;
    row["path"] = name.path;
    row["trusted"] = name.trusted;
    row["by"] = name.by;
    names.append(row);
  }
  for (const AuditedOpaque& part : report.opaque) {
    py::dict row;
    row["path"] = part.path;
    row["format"] = part.format;
    row["name"] = part.name;
    row["file"] = part.file;
    row["line"] = part.line;
    row["bytes"] = part.bytes;
    row["trusted"] = part.trusted;
    opaque.append(row);
  }
  for (const AuditedCapability& capability : report.capabilities) {
    py::dict row;
    row["name"] = capability.name;
    row["word"] = capability.word;
    row["detail"] = capability.detail;
    row["path"] = capability.path;
    row["trusted"] = capability.trusted;
    capabilities.append(row);
  }
  py::dict all;
  all["format"] = report.format;
  all["names"] = names;
  all["opaque"] = opaque;
  all["capabilities"] = capabilities;
  all["versions"] = py::cast(report.versions);
  all["damage"] = report.damage;
  all["needed"] = py::cast(report.needed);
  return all;
}

AuditOptions options_of(std::vector<std::string> trusted) {
  AuditOptions options;
  options.trusted = std::move(trusted);
  return options;
}

}  // namespace

void bind_audit(py::module_& module) {
  module.def(
      "audit",
      [](const OpenModel& model, std::vector<std::string> trusted) {
        AuditReport report;
        {
          const py::gil_scoped_release released;
          report = audit(model.model, options_of(std::move(trusted)));
        }
        return described(report);
      },
      py::arg("model"), py::arg("trusted") = std::vector<std::string>());
  module.def(
      "audit_file",
      [](const std::filesystem::path& path, std::vector<std::string> trusted) {
        AuditReport report;
        {
          const py::gil_scoped_release released;
          report = audit(path, options_of(std::move(trusted)));
        }
        return described(report);
      },
      py::arg("path"), py::arg("trusted") = std::vector<std::string>());
  module.def(
      "names_if_trusted",
      [](const OpenModel& model, std::vector<std::string> trusted) {
        const py::gil_scoped_release released;
        return names_if_trusted(model.model, options_of(std::move(trusted)));
      },
      py::arg("model"), py::arg("trusted") = std::vector<std::string>());
  module.def("names_in_releases", &names_in_releases, py::arg("module"), py::arg("qualname"));
}

}  // namespace mere::python
