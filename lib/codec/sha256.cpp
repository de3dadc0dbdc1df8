#include "codec/sha256.hpp"

#include <mere/error.hpp>

#include "codec/sha256_plain.hpp"

#if defined(MERE_HAVE_LIBCRYPTO)
#include <openssl/evp.h>
#endif

namespace mere::codec {

#if defined(MERE_HAVE_LIBCRYPTO)

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() {
    if (context == nullptr) throw Error::out_of_memory();
    if (EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
      EVP_MD_CTX_free(context);
      throw Error(Reason::not_supported, "SHA-256: libcrypto does not offer it");
    }
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

void Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    throw Error(Reason::not_supported, "SHA-256: libcrypto failed");
  }
}

std::array<std::byte, 32> Sha256::finish() {
  std::array<std::byte, 32> digest{};
  if (EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.data()), nullptr) != 1) {
    throw Error(Reason::not_supported, "SHA-256: libcrypto failed");
  }
  return digest;
}

#else

struct Sha256::State {
  Sha256Plain plain;
};

void Sha256::update(std::span<const std::byte> bytes) {
  state_->plain.update(bytes);
}
std::array<std::byte, 32> Sha256::finish() {
  return state_->plain.finish();
}

#endif

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

std::string Sha256::to_hex(const std::array<std::byte, 32>& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (const std::byte b : digest) {
    hex += kDigits[std::to_integer<unsigned>(b) >> 4];
    hex += kDigits[std::to_integer<unsigned>(b) & 15U];
  }
  return hex;
}

}  // namespace mere::codec
