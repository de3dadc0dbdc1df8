#pragma once
// What the host program made of floating point, put aside for a while.

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mere::predict {

// While it lives: denormal numbers are numbers, results are rounded to nearest. Restores what was before.
class PlainFloats {
 public:
#if defined(__x86_64__)
  PlainFloats() : before_(_mm_getcsr()) {
    constexpr unsigned kFlushAndRound = 0x8000 | 0x0040 | 0x6000;  // FTZ, DAZ, rounding
    if (before_ & kFlushAndRound) _mm_setcsr(before_ & ~kFlushAndRound);
  }
  // Keeps the flags of exceptions that were raised meanwhile.
  ~PlainFloats() {
    constexpr unsigned kFlushAndRound = 0x8000 | 0x0040 | 0x6000;
    if (before_ & kFlushAndRound) _mm_setcsr(_mm_getcsr() | (before_ & kFlushAndRound));
  }

 private:
  unsigned before_;

 public:
#else
  PlainFloats() {}
  ~PlainFloats() {}
#endif
  PlainFloats(const PlainFloats&) = delete;
  PlainFloats& operator=(const PlainFloats&) = delete;
};

}  // namespace mere::predict
