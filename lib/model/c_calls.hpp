#pragma once
// What all functions of the C interface do: turn what is thrown into a status, and keep it for the thread.

#include <cstddef>
#include <string>
#include <string_view>

#include <mere/mere.h>
#include <mere/error.hpp>
#include <mere/model.hpp>

#include "model/guarded.hpp"

struct mere_model {
  mere::Model model;
};

namespace mere::c_calls {

// Kept by value in the thread: telling of a failure takes no memory.
struct LastError {
  mere_status status = MERE_OK;
  char reason[32] = "";
  char message[1200] = "";
};
const LastError& last_error() noexcept;
mere_status keep(mere_status status, std::string_view reason, std::string_view message) noexcept;

// At most `capacity` bytes, the last of them zero.
void copy_text(std::string_view text, char* out, std::size_t capacity) noexcept;
// The same into memory of the caller; `needed`, if not null, becomes what a whole text takes.
void put_buffer(const std::string& text, char* buffer, std::size_t capacity, std::size_t* needed);

template <class Call>
mere_status run(Call&& call) noexcept {
  try {
    model::guarded(call);
    return MERE_OK;
  } catch (const Error& error) {
    return keep(static_cast<mere_status>(error.code()), to_text(error.reason()), error.message());
  } catch (const std::exception& error) {
    return keep(MERE_INTERNAL, "internal", error.what());
  } catch (...) {
    return keep(MERE_INTERNAL, "internal", "an exception of unknown type");
  }
}

template <class T>
T& given(T* pointer, const char* what) {
  if (pointer == nullptr) throw Error(Reason::bad_argument, std::string(what) + " is null");
  return *pointer;
}

inline const Model& model_of(const mere_model* model) {
  return given(model, "model").model;
}

}  // namespace mere::c_calls
