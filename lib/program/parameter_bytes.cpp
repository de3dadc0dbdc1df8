#include "program/parameter_bytes.hpp"

#include <map>

namespace mere::program {

namespace {

// Collects arrays by their first byte.
class ArrayCollector final : public Fields {
 public:
  void field(std::string_view, bool&) override {}
  void field(std::string_view, std::int64_t&) override {}
  void field(std::string_view, double&) override {}
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, std::vector<std::string>&) override {}
  void field(std::string_view, Array<double>& value) override { add(value); }
  void field(std::string_view, Array<std::uint8_t>& value) override { add(value); }
  void field(std::string_view, Array<std::uint16_t>& value) override { add(value); }
  void field(std::string_view, Array<std::uint32_t>& value) override { add(value); }
  void field(std::string_view, Array<std::int64_t>& value) override { add(value); }

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [first, size] : arrays_) sum += size;
    return sum;
  }

 private:
  template <class T>
  void add(const Array<T>& value) {
    if (!value.empty()) arrays_[value.data()] = value.size() * sizeof(T);
  }
  std::map<const void*, std::uint64_t> arrays_;
};

bool is_served(std::string_view method) {
  return method == "predict" || method == "predict_proba" || method == "decision_function";
}

}  // namespace

ParameterBytes parameter_bytes(Program& program) {
  ArrayCollector served, all;
  for (const bool hot : {true, false}) {
    for (const Method& method : program.methods) {
      if (is_served(method.name) != hot) continue;
      for (const std::size_t step : steps_of(program, method.value)) {
        if (hot) program.steps[step]->fields(served);
        program.steps[step]->fields(all);
      }
    }
  }
  return {served.bytes(), all.bytes() - served.bytes()};
}

}  // namespace mere::program
