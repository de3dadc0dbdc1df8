#include "cache/cache_directory.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <mere/size.hpp>

namespace mere::cache {

namespace {

namespace fs = std::filesystem;

std::string reason_of(int error) {
  char text[256];
  return strerror_r(error, text, sizeof text);
}

[[noreturn]] void throw_unsafe(const std::string& path, const std::string& why) {
  throw Error(
      Reason::unsafe_directory,
      path + ": " + why + ", so somebody else could put a copy there; use another MERE_CACHE_DIR or Expand::in_memory");
}

// An absolute path from the environment, else nothing: the XDG specification tells to ignore relative ones.
const char* find_absolute(const char* variable) {
  const char* value = secure_getenv(variable);
  return value != nullptr && *value == '/' ? value : nullptr;
}

// Systems whose pages other hosts or a server write: neither locks nor the page cache are to be relied on. FUSE may be
// local, but nothing tells.
const char* find_network_name(const struct statfs& system) {
  struct Row {
    std::uint32_t magic;
    const char* name;
  };
  static constexpr Row kNetworks[] = {
      {0x00006969, "NFS"},    {0x0000517b, "SMB"},      {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},
      {0x5346414f, "AFS"},    {0x6b414653, "AFS"},      {0x73757245, "Coda"},  {0x00c36400, "Ceph"},
      {0x01021997, "9P"},     {0x0000564c, "NCP"},      {0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},
      {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},     {0x65735546, "FUSE"},  {0x19830326, "BeeGFS"},
      {0xaad7aaea, "PanFS"},  {0x20030528, "OrangeFS"},
  };
  for (const Row& row : kNetworks) {
    if (static_cast<std::uint32_t>(system.f_type) == row.magic) return row.name;
  }
  return nullptr;
}

// Throws Error(unsafe_directory) if anybody but this user and root could rename or replace what lies in the directory.
void check_parent(int fd, const std::string& path) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) throw_no_cache("fstat " + path + ": " + reason_of(errno));
  if (facts.st_uid != 0 && facts.st_uid != geteuid()) {
    throw_unsafe(path, "belongs to user " + std::to_string(facts.st_uid));
  }
  if ((facts.st_mode & 022) != 0 && (facts.st_mode & S_ISVTX) == 0) throw_unsafe(path, "is writable by others");
}

void check_own(int fd, const std::string& path) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) throw_no_cache("fstat " + path + ": " + reason_of(errno));
  if (facts.st_uid != geteuid()) {
    throw_unsafe(path, "belongs to user " + std::to_string(facts.st_uid) + ", not to " + std::to_string(geteuid()));
  }
  if ((facts.st_mode & 022) != 0) throw_unsafe(path, "is writable by others");
  struct statfs system {};
  if (fstatfs(fd, &system) != 0) throw_no_cache("fstatfs " + path + ": " + reason_of(errno));
  if (const char* name = find_network_name(system)) {
    throw_no_cache(path + ": lies on " + name + ", expected a local file system");
  }
}

// Opens `name` in `parent` without following a link; makes it first if asked. -1 if it does not exist.
int open_child(int parent, const std::string& name, const std::string& path, bool create, int flags) {
  if (create && mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_no_cache("mkdir " + path + ": " + reason_of(errno));
  }
  const int fd = openat(parent, name.c_str(), flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0) return fd;
  if (errno == ENOENT && !create) return -1;
  const int error = errno;
  struct stat facts {};
  if (fstatat(parent, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(facts.st_mode)) {
    if (S_ISLNK(facts.st_mode)) throw_unsafe(path, "is a symbolic link");
    throw_no_cache(path + ": is not a directory");
  }
  throw_no_cache("open " + path + ": " + reason_of(error));
}

}  // namespace

void throw_no_cache(const std::string& why) {
  throw Error(Reason::no_cache,
              why +
                  "; no expanded copy can be shared: use Expand::in_memory (each process its own), or "
                  "set MERE_CACHE_DIR to a directory of yours on a local disk");
}

fs::path default_directory() {
  // An explicit wish is not ignored, however wrong.
  if (const char* own = secure_getenv("MERE_CACHE_DIR"); own != nullptr && *own != '\0') {
    if (*own != '/') throw_no_cache("MERE_CACHE_DIR is \"" + std::string(own) + "\", expected an absolute path");
    return own;
  }
  if (const char* base = find_absolute("XDG_CACHE_HOME")) return fs::path(base) / "mere";
  if (const char* home = find_absolute("HOME")) return fs::path(home) / ".cache" / "mere";
  throw_no_cache("neither XDG_CACHE_HOME nor HOME is set");
}

std::uint64_t default_limit(int directory) {
  if (const char* text = secure_getenv("MERE_CACHE_LIMIT"); text != nullptr && *text != '\0') {
    const char* end = text + std::strlen(text);
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(text, end, number);
    std::uint64_t unit = 1;
    const std::string_view suffix(stop, static_cast<std::size_t>(end - stop));
    const std::size_t power = std::string_view("KMGT").find(suffix.empty() ? 'x' : suffix[0]);
    if (power != std::string_view::npos) unit <<= 10 * (power + 1);
    const Size bytes = Size(number) * unit;
    if (error != std::errc() || suffix.size() > 1 || (suffix.size() == 1 && unit == 1) || !bytes.valid()) {
      throw Error(Reason::bad_argument, "MERE_CACHE_LIMIT is \"" + std::string(text) +
                                            "\", expected bytes, with K, M, G or T for powers of 1024");
    }
    return bytes.get("MERE_CACHE_LIMIT");
  }
  struct statvfs system {};
  if (fstatvfs(directory, &system) != 0) throw_no_cache("fstatvfs: " + reason_of(errno));
  const Size bytes = Size(system.f_blocks) * system.f_frsize;
  return bytes.valid() ? bytes.get("file system") / 4 : UINT64_MAX;
}

os::Descriptor open_directory(const fs::path& directory, bool create) {
  if (!directory.is_absolute()) throw_no_cache(directory.string() + ": expected an absolute path");
  // Links above the directory itself are resolved first (a home may well lie behind one); then every step of the true
  // path is checked, so that where a link led makes no difference.
  fs::path wanted = directory.lexically_normal();
  if (!wanted.has_filename()) wanted = wanted.parent_path();  // a slash at the end
  if (!wanted.has_filename()) throw_unsafe(directory.string(), "is the root directory");
  std::error_code error;
  const fs::path parents = fs::weakly_canonical(wanted.parent_path(), error);
  if (error) throw_no_cache(wanted.parent_path().string() + ": " + error.message());

  os::Descriptor current(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!current) throw_no_cache("open /: " + reason_of(errno));
  check_parent(current.get(), "/");
  fs::path path = "/";
  for (const fs::path& part : parents.relative_path()) {
    path /= part;
    // Opened first as it is; made only if absent, so that a directory above that we may not write is no error.
    int next = open_child(current.get(), part.string(), path.string(), false, O_PATH);
    if (next < 0 && create) next = open_child(current.get(), part.string(), path.string(), true, O_PATH);
    if (next < 0) return {};
    current = os::Descriptor(next);
    check_parent(current.get(), path.string());
  }
  const std::string name = wanted.filename().string();
  path /= wanted.filename();
  int own = open_child(current.get(), name, path.string(), false, O_RDONLY);
  if (own < 0 && create) own = open_child(current.get(), name, path.string(), true, O_RDONLY);
  if (own < 0) return {};
  os::Descriptor result(own);
  check_own(result.get(), path.string());
  return result;
}

}  // namespace mere::cache
