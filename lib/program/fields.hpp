#pragma once
// The parameters of an operator by name, for whoever reads or writes them: an operator lists each once, and one list
// serves both ways.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mere/array.hpp>

namespace mere::program {

class Fields {
 public:
  Fields() = default;
  virtual ~Fields() = default;
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  virtual void field(std::string_view name, bool& value) = 0;
  virtual void field(std::string_view name, std::int64_t& value) = 0;
  virtual void field(std::string_view name, double& value) = 0;
  virtual void field(std::string_view name, std::string& value) = 0;
  virtual void field(std::string_view name, std::vector<std::string>& value) = 0;
  // An empty array stands for one that the operator does without.
  virtual void field(std::string_view name, Array<double>& value) = 0;
  virtual void field(std::string_view name, Array<std::uint8_t>& value) = 0;
  virtual void field(std::string_view name, Array<std::uint16_t>& value) = 0;
  virtual void field(std::string_view name, Array<std::uint32_t>& value) = 0;
  virtual void field(std::string_view name, Array<std::int64_t>& value) = 0;
};

}  // namespace mere::program
