// See clsact.h: the filters of a hook in the order in which packets meet them, by a dump of rtnetlink.
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "clsact.h"
#include "netlink.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** The kernel fills dump messages up to 32 KiB (net/netlink/af_netlink.c, netlink_dump). */
constexpr size_t kReceiveBytes = 64 * 1024;

/** One that came or went during the dump makes the kernel say so; after three such in a row the last one counts. */
constexpr int kDumpAttempts = 3;

struct FilterRequest {
  nlmsghdr header;
  tcmsg message;
};

struct FilterDescription {
  uint32_t priority = 0;
  uint32_t chain = 0;
  uint32_t handle = 0;
  uint16_t protocol = 0;
  /* 0: of another kind than bpf. */
  uint32_t program_id = 0;
  std::string kind;
  std::string name;
  /* Without options a message tells of a group of filters, not of one. */
  bool has_options = false;
};

uint32_t ToNumber(const rtattr* attribute) {
  uint32_t value = 0;
  memcpy(&value, RTA_DATA(attribute), std::min(sizeof(value), size_t{RTA_PAYLOAD(attribute)}));
  return value;
}

std::string ToText(const rtattr* attribute) {
  const auto* text = static_cast<const char*>(RTA_DATA(attribute));
  return std::string(text, strnlen(text, RTA_PAYLOAD(attribute)));
}

void ReadOptions(const rtattr* options, FilterDescription* filter) {
  filter->has_options = true;
  if (filter->kind != "bpf") return;
  int left = static_cast<int>(RTA_PAYLOAD(options));
  for (auto* at = static_cast<const rtattr*>(RTA_DATA(options)); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const int type = at->rta_type & NLA_TYPE_MASK;
    if (type == TCA_BPF_ID) filter->program_id = ToNumber(at);
    if (type == TCA_BPF_NAME) filter->name = ToText(at);
  }
}

FilterDescription ParseFilter(const nlmsghdr* header) {
  const auto* message = static_cast<const tcmsg*>(NLMSG_DATA(header));
  FilterDescription filter;
  filter.handle = message->tcm_handle;
  filter.priority = TC_H_MAJ(message->tcm_info) >> 16;
  filter.protocol = ntohs(static_cast<uint16_t>(TC_H_MIN(message->tcm_info)));
  int left = static_cast<int>(NLMSG_PAYLOAD(header, sizeof(*message)));
  const rtattr* options = nullptr;
  for (auto* at = reinterpret_cast<const rtattr*>(message + 1); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const int type = at->rta_type & NLA_TYPE_MASK;
    if (type == TCA_KIND) filter.kind = ToText(at);
    if (type == TCA_CHAIN) filter.chain = ToNumber(at);
    if (type == TCA_OPTIONS) options = at;
  }
  if (options != nullptr) ReadOptions(options, &filter);
  return filter;
}

/** Returns 0 or a negative errno; -EINTR: something changed meanwhile. An interface that is not there has no filters. */
int Dump(int socket, const tcmsg& where, std::vector<FilterDescription>* filters) {
  static thread_local uint32_t sequence = 0;
  FilterRequest request = {};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETTFILTER;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence;
  request.message = where;
  if (send(socket, &request, sizeof(request), 0) < 0) return -errno;
  std::vector<char> buffer(kReceiveBytes);
  bool interrupted = false;
  for (;;) {
    const ssize_t received = recv(socket, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return -errno;
    int left = static_cast<int>(received);
    for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer.data()); NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_seq != sequence) continue;
      if ((at->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
      if (at->nlmsg_type == NLMSG_DONE) return interrupted ? -EINTR : 0;
      if (at->nlmsg_type == NLMSG_ERROR) return static_cast<const nlmsgerr*>(NLMSG_DATA(at))->error;
      if (at->nlmsg_type == RTM_NEWTFILTER) filters->push_back(ParseFilter(at));
    }
  }
}

Napi::Object ToObject(Napi::Env env, const FilterDescription& filter) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("priority", filter.priority);
  result.Set("protocol", filter.protocol);
  result.Set("kind", filter.kind);
  result.Set("handle", filter.handle);
  result.Set("programId", filter.program_id);
  result.Set("name", filter.name);
  return result;
}

}  // namespace

Napi::Value JsClsactFilters(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  tcmsg where = {};
  where.tcm_family = AF_UNSPEC;
  where.tcm_ifindex = static_cast<int>(ToUint32(info[0], "ifindex"));
  where.tcm_parent = TC_H_MAKE(TC_H_CLSACT, ToIsIngress(info[1]) ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
  const UniqueFd socket = OpenRouteSocket(0);
  if (!socket.valid()) ThrowErrno(env, errno, "open", "rtnetlink");
  std::vector<FilterDescription> filters;
  int error = -EINTR;
  for (int attempt = 0; attempt < kDumpAttempts && error == -EINTR; attempt++) {
    filters.clear();
    error = Dump(socket.get(), where, &filters);
  }
  // Without a clsact, or without the interface, nothing can be there.
  const bool is_absent = error == -EINVAL || error == -ENODEV;
  if (error != 0 && error != -EINTR && !is_absent) {
    ThrowErrno(env, error, "list clsact", "interface " + std::to_string(where.tcm_ifindex));
  }
  Napi::Array result = Napi::Array::New(env);
  // Packets begin in chain 0; others are jumped to.
  for (const FilterDescription& filter : filters) {
    if (filter.has_options && filter.chain == 0) result.Set(result.Length(), ToObject(env, filter));
  }
  return result;
}

}  // namespace tortie
