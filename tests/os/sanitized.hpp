#pragma once
// Is this program built with a sanitizer? g++ says so by a macro, clang by a feature.

namespace mere::test {

#if defined(__has_feature)
#define MERE_TEST_FEATURE(name) __has_feature(name)
#else
#define MERE_TEST_FEATURE(name) 0
#endif

#if defined(__SANITIZE_THREAD__) || MERE_TEST_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || MERE_TEST_FEATURE(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// Sanitizers take memory and addresses of their own: what a test measures is not ours alone.
inline constexpr bool kMemoryIsOurs = !kThreadSanitizer && !kAddressSanitizer;

#undef MERE_TEST_FEATURE

}  // namespace mere::test
