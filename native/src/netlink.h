// Network interfaces through rtnetlink, without a netlink library.
#pragma once

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <napi.h>

#include <cstdint>
#include <string>

#include "util/fd.h"

namespace tortie {

struct LinkDescription {
  uint32_t ifindex = 0;
  std::string name;
  std::string mac;
  uint32_t mtu = 0;
  bool up = false;
  std::string kind;
  std::string peer_mac;
  /* Where the other end of a veth is; -1: in this namespace, or there is none. */
  int32_t peer_namespace_id = -1;
  /* Of a veth. Of other interfaces, the one that they stand on; 0 = none. */
  uint32_t peer_ifindex = 0;
  /* The bridge, bond or VRF that it is a part of; 0 = none. */
  uint32_t master = 0;
};

/** Reads one RTM_NEWLINK or RTM_DELLINK message. */
LinkDescription ParseLink(const nlmsghdr* message);

/** A NETLINK_ROUTE socket that hears `groups`; invalid, with errno set, if refused. */
UniqueFd OpenRouteSocket(uint32_t groups);

/** Adds linkList and addressList to the addon's exports. */
void InitNetlink(Napi::Env env, Napi::Object exports);

}  // namespace tortie
