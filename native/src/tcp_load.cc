// See tcp_load.h.
#include "tcp_load.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net_thread.h"
#include "util/args.h"
#include "util/errors.h"
#include "util/socket_address.h"

namespace tortie {
namespace {

constexpr size_t kStreamBytes = 128 * 1024;
constexpr int kBacklog = 128;

/** A path that loses a connection must not hang the run. */
constexpr timeval kPatience = {5, 0};

enum class LoadKind { kStream, kRoundTrip, kConnection };

uint64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

struct Load {
  LoadKind kind = LoadKind::kStream;
  NetPlace client;
  NetPlace server;
  SocketAddress address;
  uint64_t duration_ns = 0;

  /** Of a stream the bytes that its receiver read. */
  std::atomic<uint64_t> bytes{0};
  std::vector<uint32_t> latencies_ns;
  uint64_t elapsed_ns = 0;
};

int SetPatience(int fd) {
  const int no_delay = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience)) < 0) return -errno;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience)) < 0) return -errno;
  return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay)) < 0 ? -errno : 0;
}

/** In the namespace of the thread that calls. 0 or -errno. */
int Listen(const Load& load, UniqueFd* listener) {
  const int reuse = 1;
  *listener = UniqueFd(socket(load.address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener->valid()) return -errno;
  if (setsockopt(listener->get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)) < 0) return -errno;
  if (bind(listener->get(), load.address.get(), load.address.length) < 0) return -errno;
  return listen(listener->get(), kBacklog) < 0 ? -errno : 0;
}

/** 0 or -errno. */
int Connect(const Load& load, UniqueFd* connection) {
  *connection = UniqueFd(socket(load.address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection->valid()) return -errno;
  const int error = SetPatience(connection->get());
  if (error < 0) return error;
  return connect(connection->get(), load.address.get(), load.address.length) < 0 ? -errno : 0;
}

/** One request of a byte, and its answer. 0 or -errno. */
int Ask(int fd) {
  char byte = 1;
  if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1) return -errno;
  const ssize_t received = recv(fd, &byte, 1, 0);
  return received == 1 ? 0 : received == 0 ? -ECONNRESET : -errno;
}

void ServeStream(Load* load, int fd) {
  std::vector<char> room(kStreamBytes);
  for (;;) {
    const ssize_t received = recv(fd, room.data(), room.size(), 0);
    if (received <= 0) return;
    load->bytes += static_cast<uint64_t>(received);
  }
}

void ServeRequests(int fd) {
  char byte;
  while (recv(fd, &byte, 1, 0) == 1) {
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1) return;
  }
}

/** Until the listener is shut down. */
void Serve(Load* load, int listener) {
  for (;;) {
    const UniqueFd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid() || SetPatience(connection.get()) < 0) return;
    if (load->kind == LoadKind::kStream) {
      ServeStream(load, connection.get());
    } else {
      ServeRequests(connection.get());
    }
  }
}

/** 0 or -errno. */
int RunStream(const Load& load, uint64_t end) {
  const std::vector<char> data(kStreamBytes);
  UniqueFd connection;
  const int error = Connect(load, &connection);
  if (error < 0) return error;
  while (NowNs() < end) {
    if (send(connection.get(), data.data(), data.size(), MSG_NOSIGNAL) < 0) return -errno;
  }
  // What lies in buffers counts only once it was read: wait for the other side to have seen the end.
  if (shutdown(connection.get(), SHUT_WR) < 0) return -errno;
  char byte;
  return recv(connection.get(), &byte, 1, 0) < 0 ? -errno : 0;
}

int RunRoundTrips(Load* load, uint64_t end) {
  UniqueFd connection;
  int error = Connect(*load, &connection);
  for (uint64_t before = NowNs(); error == 0 && before < end;) {
    error = Ask(connection.get());
    const uint64_t now = NowNs();
    load->latencies_ns.push_back(static_cast<uint32_t>(now - before));
    before = now;
  }
  return error;
}

int RunConnections(Load* load, uint64_t end) {
  int error = 0;
  for (uint64_t before = NowNs(); error == 0 && before < end;) {
    UniqueFd connection;
    error = Connect(*load, &connection);
    if (error == 0) error = Ask(connection.get());
    connection.Reset();
    const uint64_t now = NowNs();
    load->latencies_ns.push_back(static_cast<uint32_t>(now - before));
    before = now;
  }
  return error;
}

void RunClient(Load* load, ThreadFailure* failure) {
  const uint64_t start = NowNs();
  const uint64_t end = start + load->duration_ns;
  int error = 0;
  switch (load->kind) {
    case LoadKind::kStream:
      error = RunStream(*load, end);
      break;
    case LoadKind::kRoundTrip:
      error = RunRoundTrips(load, end);
      break;
    case LoadKind::kConnection:
      error = RunConnections(load, end);
      break;
  }
  load->elapsed_ns = NowNs() - start;
  if (error < 0) failure->Note(-error, "exchange data with");
}

/** The calling thread makes the listener in the server's namespace, then is the client. The server has its CPU and rank. */
void RunLoad(Load* load, ThreadFailure* failure) {
  if (!EnterPlace(load->server, failure)) return;
  GoFirst();
  UniqueFd listener;
  const int error = Listen(*load, &listener);
  if (error < 0) return failure->Note(-error, "listen on");
  std::thread server([load, &listener] { Serve(load, listener.get()); });
  if (EnterPlace(load->client, failure)) RunClient(load, failure);
  shutdown(listener.get(), SHUT_RDWR);
  server.join();
}

LoadKind ToKind(const Napi::Value& value) {
  const std::string text = ToText(value, "kind");
  if (text == "stream") return LoadKind::kStream;
  if (text == "rr") return LoadKind::kRoundTrip;
  if (text == "crr") return LoadKind::kConnection;
  throw Napi::TypeError::New(value.Env(), "kind must be 'stream', 'rr' or 'crr'");
}

Napi::Value OutcomeOf(Napi::Env env, const Load& load) {
  Napi::Object outcome = Napi::Object::New(env);
  outcome.Set("bytes", static_cast<double>(load.bytes.load()));
  outcome.Set("elapsedNs", static_cast<double>(load.elapsed_ns));
  auto latencies = Napi::Uint32Array::New(env, load.latencies_ns.size());
  std::copy(load.latencies_ns.begin(), load.latencies_ns.end(), latencies.Data());
  outcome.Set("latenciesNs", latencies);
  return outcome;
}

Napi::Value JsTcpLoad(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object job = ToObject(info[0], "job");
  const auto load = std::make_shared<Load>();
  const std::string address = ToText(job.Get("address"), "address");
  const uint32_t port = ToUint32(job.Get("port"), "port");
  load->kind = ToKind(job.Get("kind"));
  load->address = ParseSocketAddress(env, address, static_cast<uint16_t>(port));
  load->client.net_namespace = OpenNamespace(env, ToText(job.Get("clientNamespace"), "clientNamespace"));
  load->server.net_namespace = OpenNamespace(env, ToText(job.Get("serverNamespace"), "serverNamespace"));
  load->client.cpu = load->server.cpu = ToUint32(job.Get("cpu"), "cpu");
  load->duration_ns = uint64_t{ToUint32(job.Get("forMs"), "forMs")} * 1'000'000;
  return ThreadedCall::Start(
      env, "tcpLoad", address + " port " + std::to_string(port),
      [load](ThreadFailure* failure) { RunLoad(load.get(), failure); },
      [load](Napi::Env result_env) { return OutcomeOf(result_env, *load); });
}

}  // namespace

void InitTcpLoad(Napi::Env env, Napi::Object exports) {
  exports.Set("tcpLoad", Napi::Function::New<JsTcpLoad>(env, "tcpLoad"));
}

}  // namespace tortie
