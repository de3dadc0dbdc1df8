#pragma once
// Parameters from and to nodes: a record (docs/format.md 4) whose fields are those of the operator.

#include <utility>
#include <vector>

#include <mere/graph.hpp>
#include <mere/node.hpp>

#include "program/fields.hpp"

namespace mere::program {

// Collects the fields of one record. Arrays without an element are left out.
class FieldWriter final : public Fields {
 public:
  explicit FieldWriter(Graph& graph) : graph_(graph) {}

  void field(std::string_view name, bool& value) override;
  void field(std::string_view name, std::int64_t& value) override;
  void field(std::string_view name, double& value) override;
  void field(std::string_view name, std::string& value) override;
  void field(std::string_view name, std::vector<std::string>& value) override;
  void field(std::string_view name, Array<double>& value) override;
  void field(std::string_view name, Array<std::uint8_t>& value) override;
  void field(std::string_view name, Array<std::uint16_t>& value) override;
  void field(std::string_view name, Array<std::uint32_t>& value) override;
  void field(std::string_view name, Array<std::int64_t>& value) override;

  void add(std::string_view name, NodeId value);
  // The record of all that was collected.
  NodeId finish(std::string_view type_name);

 private:
  template <class T>
  void add_array(std::string_view name, const Array<T>& value);

  Graph& graph_;
  std::vector<std::pair<NodeId, NodeId>> entries_;
};

// Sets fields from a record. Arrays borrow from the map. Throws Error: schema (a field is missing or of another kind),
// not_aligned, not_contiguous, not_mapped.
class FieldReader final : public Fields {
 public:
  explicit FieldReader(const Node& record);

  void field(std::string_view name, bool& value) override;
  void field(std::string_view name, std::int64_t& value) override;
  void field(std::string_view name, double& value) override;
  void field(std::string_view name, std::string& value) override;
  void field(std::string_view name, std::vector<std::string>& value) override;
  void field(std::string_view name, Array<double>& value) override;
  void field(std::string_view name, Array<std::uint8_t>& value) override;
  void field(std::string_view name, Array<std::uint16_t>& value) override;
  void field(std::string_view name, Array<std::uint32_t>& value) override;
  void field(std::string_view name, Array<std::int64_t>& value) override;

  // Lists and texts that a record may lack: empty then.
  void optional(std::string_view name, std::string& value);
  void optional(std::string_view name, std::vector<std::string>& value);

  // Throws Error: schema, unless the record has the fields that were read and `others`.
  void finish(std::size_t others = 0) const;

 private:
  Node need(std::string_view name, Kind kind);
  template <class T>
  void read_array(std::string_view name, Array<T>& value);

  Node record_;
  Node state_;
  std::size_t read_ = 0;
};

}  // namespace mere::program
