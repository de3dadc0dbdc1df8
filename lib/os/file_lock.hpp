#pragma once
// Advisory locks on whole files, by flock(2): held by the open file, gone when its last descriptor is closed, also by
// kill -9. They work between processes and between two opens in one process. Not POSIX record locks, which are lost
// when any descriptor of the file is closed.

#include <chrono>
#include <cstdint>
#include <string>

#include <mere/error.hpp>

namespace mere::os {

enum class LockKind : std::uint8_t { shared, exclusive };

// Each throws Error: system_call (locks are not supported there, ...).
// False if somebody else holds it.
bool try_lock(int fd, LockKind kind, const std::string& name);
// Waits for it.
void lock(int fd, LockKind kind, const std::string& name);
// Waits at most so long; false if it was not to be had.
bool lock_within(int fd, LockKind kind, std::chrono::milliseconds wait, const std::string& name);
void unlock(int fd) noexcept;

}  // namespace mere::os
