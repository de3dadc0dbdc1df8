#include <mere/predictor.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstring>
#include <string>

#include "arrays.hpp"
#include "dtypes.hpp"
#include "model.hpp"
#include "rows.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

template <class View>
py::array run(const Predictor& self, const std::string& method, const View& view, unsigned threads, bool check_finite) {
  const std::size_t columns = self.method(method).columns;
  py::array_t<double> out({view.rows, columns});
  const std::span<double> numbers(out.mutable_data(), view.rows * columns);
  {
    const py::gil_scoped_release released;
    self.run(method, view, numbers, {threads, check_finite});
  }
  return out;
}

py::object classes(const Predictor& self, const std::string& method, std::size_t column) {
  const ClassTable table = self.classes(method, column);
  if (table.dtype.type_class() == TypeClass::object) {
    py::list texts;
    for (const std::string& text : table.texts) texts.append(py::str(text));
    return py::module_::import("numpy").attr("array")(texts, py::arg("dtype") = "O");
  }
  const py::object made =
      py::module_::import("numpy").attr("empty")(py::int_(table.count), py::arg("dtype") = numpy_dtype(table.dtype));
  if (!table.bytes.empty()) std::memcpy(py::array(made).mutable_data(), table.bytes.data(), table.bytes.size());
  return made;
}

py::dict described(const MethodInfo& method) {
  py::dict d;
  d["name"] = method.name;
  d["columns"] = method.columns;
  d["flat"] = method.flat;
  d["classes"] = method.classes;
  d["integer"] = method.integer;
  return d;
}

}  // namespace

void bind_predictors(py::module_& module) {
  py::class_<Predictor>(module, "Predictor")
      .def(py::init([](const OpenModel& model) {
        const py::gil_scoped_release released;
        return Predictor(model.model);
      }))
      .def_property_readonly("estimator", [](const Predictor& self) { return std::string(self.estimator()); })
      .def_property_readonly("columns", &Predictor::columns)
      .def_property_readonly("column_names", &Predictor::column_names)
      .def_property_readonly("kernels", &Predictor::kernels)
      .def_property_readonly("private_bytes", &Predictor::private_bytes)
      .def_property_readonly("serving_bytes", &Predictor::serving_bytes)
      .def_property_readonly("cold_bytes", &Predictor::cold_bytes)
      .def("methods",
           [](const Predictor& self) {
             py::list methods;
             for (const MethodInfo& method : self.methods()) methods.append(described(method));
             return methods;
           })
      .def("method", [](const Predictor& self, const std::string& name) { return described(self.method(name)); })
      .def("classes", &classes, py::arg("method") = "predict", py::arg("column") = 0)
      .def_property_readonly("input",
                             [](const Predictor& self) {
                               py::list columns;
                               for (const InputColumn& column : self.input()) {
                                 columns.append(py::make_tuple(column.name, column.text));
                               }
                               return columns;
                             })
      .def_property_readonly("refuses_sparse", [](const Predictor& self) { return std::string(self.refuses_sparse()); })
      .def(
          "run",
          [](const Predictor& self, const std::string& method, const py::array& x, unsigned threads,
             bool check_finite) { return run(self, method, matrix_of(x), threads, check_finite); },
          py::arg("method"), py::arg("x"), py::arg("threads") = 1, py::arg("check_finite") = true)
      .def("run_sparse",
           [](const Predictor& self, const std::string& method, const py::array& values, const py::array& indices,
              const py::array& starts, std::size_t columns, unsigned threads, bool check_finite) {
             return run(self, method, sparse_of(values, indices, starts, columns), threads, check_finite);
           })
      .def("run_table", [](const Predictor& self, const std::string& method, const py::list& columns, unsigned threads,
                           bool check_finite) {
        const TableRows rows(columns);
        return run(self, method, rows.view(), threads, check_finite);
      });
}

}  // namespace mere::python
