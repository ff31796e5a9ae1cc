// Pins: opening one as the kind of object that is expected, and making one.
#pragma once

#include <bpf/bpf.h>
#include <linux/limits.h>

#include <cerrno>
#include <string>

#include "errors.h"
#include "fd.h"

namespace tortie {

enum class BpfFileKind { kMap, kProgram, kLink };

inline const char* KindName(BpfFileKind kind) {
  switch (kind) {
    case BpfFileKind::kMap:
      return "map";
    case BpfFileKind::kProgram:
      return "program";
    default:
      return "link";
  }
}

/** The kernel names what an anonymous file is in its /proc link: bpf-map, bpf-prog, bpf_link. */
inline bool IsBpfFile(int fd, BpfFileKind kind) {
  char text[PATH_MAX];
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), text, sizeof(text));
  if (length < 0) return false;
  const std::string name(text, static_cast<size_t>(length));
  switch (kind) {
    case BpfFileKind::kMap:
      return name.find("bpf-map") != std::string::npos;
    case BpfFileKind::kProgram:
      return name.find("bpf-prog") != std::string::npos;
    default:
      return name.find("bpf_link") != std::string::npos || name.find("bpf-link") != std::string::npos;
  }
}

/** Opens a pin; EINVAL if it is another kind of object, whose info would be read as garbage. */
inline UniqueFd OpenPinned(Napi::Env env, const std::string& path, BpfFileKind kind) {
  const std::string operation = std::string("open pinned ") + KindName(kind);
  UniqueFd fd(bpf_obj_get(path.c_str()));
  if (!fd.valid()) ThrowErrno(env, errno, operation, path);
  if (!IsBpfFile(fd.get(), kind)) ThrowErrno(env, EINVAL, operation, path);
  return fd;
}

inline void PinFile(Napi::Env env, int fd, const std::string& path) {
  if (bpf_obj_pin(fd, path.c_str()) < 0) ThrowErrno(env, errno, "pin", path);
}

}  // namespace tortie
