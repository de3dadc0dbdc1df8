#pragma once
// The filter columns, undone word by word as docs/filters.md 1 puts it: slow and obvious.

#include <cstddef>
#include <span>

namespace mere::reference {

// Fills `raw`; false if the page does not allow `filtered` for so many raw bytes.
bool undo_columns(std::span<const std::byte> filtered, std::span<std::byte> raw);

}  // namespace mere::reference
