#include <algorithm>

#include <mere/array.hpp>

namespace mere {

Dims::Dims(std::size_t count) : count_(count) {
  if (count > few_.size()) more_ = std::make_unique<std::int64_t[]>(count);
}

Dims::Dims(std::initializer_list<std::int64_t> values) : Dims(values.size()) {
  std::copy(values.begin(), values.end(), data());
}

Dims::Dims(const Dims& other) : count_(other.count_), few_(other.few_) {
  if (other.more_) {
    more_ = std::make_unique<std::int64_t[]>(count_);
    std::copy(other.begin(), other.end(), more_.get());
  }
}

Dims& Dims::operator=(const Dims& other) {
  if (this != &other) *this = Dims(other);
  return *this;
}

std::string Dims::to_text() const {
  std::string text = "(";
  for (std::size_t i = 0; i < count_; ++i) {
    if (i != 0) text += ", ";
    text += std::to_string((*this)[i]);
  }
  return text + (count_ == 1 ? ",)" : ")");
}

bool operator==(const Dims& a, const Dims& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace mere
