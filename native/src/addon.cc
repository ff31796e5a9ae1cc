// Entry point of the addon: puts together what native/index.d.ts promises. No logic here.
#include <napi.h>

#include "clsact.h"
#include "datagram.h"
#include "features.h"
#include "flow_book.h"
#include "inet_diag.h"
#include "link.h"
#include "link_monitor.h"
#include "map.h"
#include "net_thread.h"
#include "netfilter.h"
#include "netlink.h"
#include "object.h"
#include "program.h"
#include "ring_buffer.h"
#include "section_handlers.h"
#include "sender.h"
#include "system.h"
#include "tcp_load.h"
#include "udp_sink.h"
#include "util/errors.h"
#include "util/handle.h"
#include "xdp.h"

namespace tortie {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InstallLogCapture();
  InstallSectionHandlers(env);
  env.SetInstanceData(new AddonData());
  BpfObject::Init(env, exports);
  BpfMap::Init(env, exports);
  BpfProgram::Init(env, exports);
  BpfLink::Init(env, exports);
  RingBuffer::Init(env, exports);
  LinkMonitor::Init(env, exports);
  InitTcxQuery(env, exports);
  InitClsact(env, exports);
  InitNetlink(env, exports);
  InitNetfilter(env, exports);
  InitFeatures(env, exports);
  InitSystem(env, exports);
  InitDatagram(env, exports);
  InitNetThread(env, exports);
  InitSender(env, exports);
  InitTcpLoad(env, exports);
  UdpSink::Init(env, exports);
  FlowBook::Init(env, exports);
  InitXdp(env, exports);
  InitInetDiag(env, exports);
  return exports;
}

NODE_API_MODULE(tortie, Init)

}  // namespace tortie
