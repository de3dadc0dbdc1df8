// The C interface: each function is a call of the C++ one, with what it throws turned into a status.

#include <mere/mere.h>

#include <algorithm>
#include <cstring>
#include <new>

#include <mere/model.hpp>

#include "format/records.hpp"
#include "graph/dtype_parts.hpp"
#include "model/c_calls.hpp"
#include "model/library_version.hpp"

namespace {

using mere::Error;
using mere::Node;
using mere::Reason;

using mere::c_calls::copy_text;
using mere::c_calls::given;
using mere::c_calls::last_error;
using mere::c_calls::model_of;
using mere::c_calls::put_buffer;
using mere::c_calls::run;

Node node_of(mere_node node) {
  if (node.image == nullptr || node.id > UINT32_MAX)
    throw Error(Reason::bad_argument, "a node that no call has filled");
  return Node(static_cast<const mere::format::Image*>(node.image), static_cast<mere::NodeId>(node.id));
}

void put(const Node& node, mere_node* out) {
  given(out, "node") = {node.image(), node.id()};
}

void put(const std::optional<Node>& node, const char* what, mere_node* out) {
  if (!node) throw Error(Reason::no_path, std::string("there is no ") + what);
  put(*node, out);
}

void put(std::string_view text, const char** data, std::size_t* size) {
  given(data, "data") = text.data();
  given(size, "size") = text.size();
}

mere::OpenOptions options_of(const mere_open_options* given_options) {
  mere::OpenOptions options;
  if (given_options == nullptr) return options;
  // A caller of an older version has a shorter struct: what it lacks keeps its default.
  if (given_options->struct_size < offsetof(mere_open_options, content_id)) {
    throw Error(Reason::bad_argument, "mere_open_options: struct_size is not set");
  }
  mere_open_options from{};
  std::memcpy(&from, given_options, std::min(sizeof from, given_options->struct_size));
  if (from.verify < 0 || from.verify > MERE_VERIFY_ALL)
    throw Error(Reason::bad_argument, "mere_open_options: verify is 0 to 2");
  if (from.expand < 0 || from.expand > MERE_EXPAND_LAZY)
    throw Error(Reason::bad_argument, "mere_open_options: expand is 0 to 2");
  options.verify = static_cast<mere::Verify>(from.verify);
  options.expand = static_cast<mere::Expand>(from.expand);
  options.copy_on_write = from.copy_on_write != 0;
  options.populate = from.populate != 0;
  options.huge_pages = from.huge_pages != 0;
  options.threads = from.threads;
  if (from.content_id != nullptr) {
    options.content_id = mere::ContentId::parse(from.content_id);
    if (!options.content_id)
      throw Error(Reason::bad_argument, "mere_open_options: content_id is 32 hexadecimal digits");
  }
  if (from.expanded_bytes != 0) options.limits.expanded_bytes = from.expanded_bytes;
  if (from.memory_bytes != 0) options.limits.memory_bytes = from.memory_bytes;
  return options;
}

template <class Open>
mere_status open_model(mere_model** out, Open&& open) {
  return run([&] {
    mere_model*& place = given(out, "model");
    place = new mere_model{open()};
  });
}

}  // namespace

extern "C" {

const char* mere_version(void) {
  return mere::model::kVersion;
}
uint32_t mere_abi_version(void) {
  return 2;
}
uint32_t mere_format_version(void) {
  return std::uint32_t{mere::format::kMajor} << 16 | mere::format::kMinor;
}

mere_status mere_last_status(void) {
  return last_error().status;
}
const char* mere_last_reason(void) {
  return last_error().reason;
}
const char* mere_last_message(void) {
  return last_error().message;
}

const char* mere_status_text(mere_status status) {
  if (status == MERE_OK) return "ok";
  if (status < MERE_OK || status > MERE_IO) return "internal";
  return mere::to_text(static_cast<mere::Errc>(status)).data();  // a literal: ends in a zero
}

const char* mere_kind_text(mere_kind kind) {
  if (kind < 0 || kind >= mere::kKindCount) return "unknown";
  return mere::to_text(static_cast<mere::Kind>(kind)).data();
}

void mere_guard_faults(void) {
  run([] { mere::guard_faults(); });
}

mere_status mere_open(const char* path, const mere_open_options* options, mere_model** model) {
  return open_model(model,
                    [&] { return mere::Model(std::filesystem::path(&given(path, "path")), options_of(options)); });
}

mere_status mere_open_fd(int fd, uint64_t offset, uint64_t length, const mere_open_options* options,
                         mere_model** model) {
  return open_model(model, [&] {
    const std::optional<std::uint64_t> size =
        length == UINT64_MAX ? std::nullopt : std::optional<std::uint64_t>(length);
    return mere::Model::from_descriptor(fd, offset, size, options_of(options));
  });
}

mere_status mere_open_bytes(const void* data, size_t size, const mere_open_options* options, mere_model** model) {
  return open_model(model, [&] {
    const std::span<const std::byte> bytes(&given(static_cast<const std::byte*>(data), "data"), size);
    return mere::Model::from_bytes(bytes, nullptr, options_of(options));
  });
}

void mere_close(mere_model* model) {
  delete model;
}

mere_status mere_file_bytes(const mere_model* model, uint64_t* bytes) {
  return run([&] { given(bytes, "bytes") = model_of(model).bytes().size(); });
}

mere_status mere_content_id(const mere_model* model, char text[33]) {
  return run([&] { copy_text(model_of(model).content_id().to_text(), &given(text, "text"), 33); });
}

mere_status mere_sha256(const mere_model* model, char text[65]) {
  return run([&] { copy_text(model_of(model).sha256(), &given(text, "text"), 65); });
}

mere_status mere_verify(const mere_model* model, uint32_t threads) {
  return run([&] { model_of(model).verify(threads); });
}

mere_status mere_stale(const mere_model* model, int* stale) {
  return run([&] { given(stale, "stale") = model_of(model).stale() ? 1 : 0; });
}

mere_status mere_faulted(const mere_model* model, int* faulted) {
  return run([&] { given(faulted, "faulted") = model_of(model).faulted() ? 1 : 0; });
}

mere_status mere_root(const mere_model* model, mere_node* node) {
  return run([&] { put(model_of(model).root(), node); });
}

mere_status mere_program(const mere_model* model, mere_node* node) {
  return run([&] { put(model_of(model).program(), "program in this file", node); });
}

mere_status mere_metadata(const mere_model* model, mere_node* node) {
  return run([&] { put(model_of(model).metadata(), "metadata in this file", node); });
}

mere_status mere_find(const mere_model* model, const char* path, mere_node* node) {
  return run([&] { put(model_of(model).at(&given(path, "path")), node); });
}

mere_status mere_node_find(mere_node from, const char* path, mere_node* node) {
  return run([&] { put(node_of(from).at(&given(path, "path")), node); });
}

mere_status mere_node_kind(mere_node node, mere_kind* kind) {
  return run([&] { given(kind, "kind") = static_cast<mere_kind>(node_of(node).kind()); });
}

mere_status mere_node_bool(mere_node node, int* value) {
  return run([&] { given(value, "value") = node_of(node).boolean() ? 1 : 0; });
}

mere_status mere_node_int64(mere_node node, int64_t* value) {
  return run([&] { given(value, "value") = node_of(node).integer(); });
}

mere_status mere_node_double(mere_node node, double* value) {
  return run([&] { given(value, "value") = node_of(node).real(); });
}

mere_status mere_node_complex(mere_node node, double value[2]) {
  return run([&] {
    const std::complex<double> number = node_of(node).complex();
    given(value, "value") = number.real();
    value[1] = number.imag();
  });
}

mere_status mere_node_text(mere_node node, const char** data, size_t* size) {
  return run([&] { put(node_of(node).text(), data, size); });
}

mere_status mere_node_bytes(mere_node node, const void** data, size_t* size) {
  return run([&] {
    const std::span<const std::byte> bytes = node_of(node).bytes();
    given(size, "size") = bytes.size();
    given(data, "data") = bytes.data();
  });
}

mere_status mere_node_name(mere_node node, const char** data, size_t* size) {
  return run([&] {
    const Node from = node_of(node);
    put(from.kind() == mere::Kind::object ? from.type_name() : from.name(), data, size);
  });
}

mere_status mere_node_size(mere_node node, uint64_t* size) {
  return run([&] { given(size, "size") = node_of(node).size(); });
}

mere_status mere_node_item(mere_node node, uint64_t index, mere_node* item) {
  return run([&] { put(node_of(node)[static_cast<std::size_t>(index)], item); });
}

mere_status mere_node_key(mere_node node, uint64_t index, mere_node* key) {
  return run([&] { put(node_of(node).key(static_cast<std::size_t>(index)), key); });
}

mere_status mere_node_value(mere_node node, uint64_t index, mere_node* value) {
  return run([&] { put(node_of(node).value(static_cast<std::size_t>(index)), value); });
}

mere_status mere_node_get(mere_node node, const char* key, size_t key_size, mere_node* value) {
  return run([&] { put(node_of(node)[std::string_view(&given(key, "key"), key_size)], value); });
}

mere_status mere_node_part(mere_node node, mere_part part, mere_node* value) {
  return run([&] {
    const Node from = node_of(node);
    std::optional<Node> found;
    switch (part) {
      case MERE_PART_TYPE: found = from.type(); break;
      case MERE_PART_ARGS: found = from.args(); break;
      case MERE_PART_KWARGS: found = from.kwargs(); break;
      case MERE_PART_STATE: found = from.state(); break;
      case MERE_PART_ITEMS: found = from.items(); break;
      case MERE_PART_ENTRIES: found = from.entries(); break;
      case MERE_PART_SETTER: found = from.setter(); break;
      case MERE_PART_INFO: found = from.info(); break;
      default: throw Error(Reason::bad_argument, "part " + std::to_string(static_cast<int>(part)) + " is not known");
    }
    put(found, "such part of this object", value);
  });
}

mere_status mere_node_path(mere_node node, char* buffer, size_t capacity, size_t* needed) {
  return run([&] { put_buffer(node_of(node).path(), buffer, capacity, needed); });
}

mere_status mere_node_array(mere_node node, mere_array* array) {
  return run([&] {
    const std::size_t room = given(array, "array").struct_size;
    if (room < sizeof(mere_array)) throw Error(Reason::bad_argument, "mere_array: struct_size is not set");
    const mere::ArrayView view = node_of(node).array();
    const mere::Dtype type = view.dtype();
    mere_array out{};
    out.struct_size = room;
    out.size = view.size();
    out.nbytes = view.nbytes();
    out.itemsize = type.itemsize();
    out.c_contiguous = view.c_contiguous() ? 1 : 0;
    const std::string text = mere::graph::protocol_text(type);
    if (text.size() < sizeof out.type) copy_text(text, out.type, sizeof out.type);
    const mere::Dims shape = view.shape(), strides = view.strides();
    out.ndim = static_cast<std::int32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), out.shape);
    std::copy(strides.begin(), strides.end(), out.strides);
    out.data = view.is_mapped() ? view.data() : nullptr;
    std::memcpy(array, &out, sizeof out);
  });
}

mere_status mere_array_type_text(mere_node node, char* buffer, size_t capacity, size_t* needed) {
  return run([&] { put_buffer(node_of(node).array().dtype().to_text(), buffer, capacity, needed); });
}

mere_status mere_array_copy(mere_node node, void* out, size_t bytes) {
  return run([&] {
    if (out == nullptr && bytes != 0) throw Error(Reason::bad_argument, "out is null");
    node_of(node).array().copy_to({static_cast<std::byte*>(out), bytes});
  });
}

}  // extern "C"
