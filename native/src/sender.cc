// See sender.h.
#include "sender.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <vector>

#include "map.h"
#include "net_thread.h"
#include "program.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

/** Frames per call: setting up a run of live frames takes some 20 ms, so the fewer runs the better. */
constexpr uint64_t kLiveFrames = 1 << 20;

/** Frames that a run hands over before the path may work: they fit a backlog of 1,000 and a core's caches. */
constexpr uint32_t kLiveBatch = 64;
constexpr uint32_t kMessages = 64;

/** More than this on the way would overflow a backlog. */
constexpr uint64_t kWindow = 256;

constexpr unsigned kPauseUs = 10;

uint64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

/** The first 64-bit word of a BPF_F_MMAPABLE array: how many packets have arrived. */
class ArrivalCount {
 public:
  explicit ArrivalCount(int map_fd) {
    const long page = sysconf(_SC_PAGESIZE);
    void* const address = mmap(nullptr, static_cast<size_t>(page), PROT_READ, MAP_SHARED, map_fd, 0);
    if (address != MAP_FAILED) word_ = static_cast<const volatile uint64_t*>(address);
  }
  ~ArrivalCount() {
    if (word_ != nullptr) munmap(const_cast<uint64_t*>(word_), static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  }
  ArrivalCount(const ArrivalCount&) = delete;
  ArrivalCount& operator=(const ArrivalCount&) = delete;

  bool valid() const { return word_ != nullptr; }
  uint64_t Read() const { return *word_; }

 private:
  const volatile uint64_t* word_ = nullptr;
};

struct Job {
  NetPlace place;
  std::unique_ptr<ArrivalCount> count;
  uint64_t packets = 0;
  uint64_t patience_ns = 0;

  uint64_t sent = 0;
  uint64_t arrived = 0;
  uint64_t elapsed_ns = 0;
  /** When the last packet was seen to have arrived. */
  uint64_t last_ns = 0;
  /** Spent on neither sending nor the path. */
  uint64_t idle_ns = 0;
};

/** Waits until all but `allowed` packets have arrived, or none arrives for too long. False: some are lost. */
bool AwaitArrivals(Job* job, uint64_t before, uint64_t allowed) {
  uint64_t seen = job->count->Read();
  job->last_ns = NowNs();
  while (seen - before + allowed < job->sent) {
    // The path is on this very CPU: what is left of it runs in a thread of the kernel's, which must get at it.
    usleep(kPauseUs);
    const uint64_t found = job->count->Read();
    const uint64_t now = NowNs();
    if (found != seen) {
      seen = found;
      job->last_ns = now;
    } else if (now - job->last_ns > job->patience_ns) {
      return false;
    }
  }
  return true;
}

/** In the place of the job. `send` sends at most so many packets and returns how many it did, or -errno. */
template <typename Send>
void Run(Job* job, const char* operation, ThreadFailure* failure, Send send) {
  GoFirst();
  const uint64_t before = job->count->Read();
  const uint64_t start = NowNs();
  bool keeps_pace = true;
  while (job->sent < job->packets) {
    const int64_t done = send(job->packets - job->sent);
    if (done < 0) return failure->Note(static_cast<int>(-done), operation);
    job->sent += static_cast<uint64_t>(done);
    // Where packets do not arrive there is no pace to keep.
    if (keeps_pace) keeps_pace = AwaitArrivals(job, before, kWindow);
  }
  AwaitArrivals(job, before, 0);
  job->elapsed_ns = job->last_ns - start - job->idle_ns;
  job->arrived = job->count->Read() - before;
}

/** Adds what a run spent outside its packets to `idle_ns`: the kernel waits for grace periods around it. */
int64_t RunLiveFrames(int program, const std::vector<uint8_t>& frame, uint64_t packets, uint64_t* idle_ns) {
  const uint64_t count = std::min(packets, kLiveFrames);
  bpf_test_run_opts run = {};
  run.sz = sizeof(run);
  run.data_in = frame.data();
  run.data_size_in = static_cast<__u32>(frame.size());
  run.repeat = static_cast<int>(count);
  run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  run.batch_size = kLiveBatch;
  const uint64_t start = NowNs();
  if (bpf_prog_test_run_opts(program, &run) < 0) return -errno;
  // The kernel's own reading, in nanoseconds for each packet.
  const uint64_t busy_ns = count * run.duration;
  const uint64_t elapsed_ns = NowNs() - start;
  if (elapsed_ns > busy_ns) *idle_ns += elapsed_ns - busy_ns;
  return static_cast<int64_t>(count);
}

/** A socket that hands frames to one device, and remembers which frame is next. */
class FrameSocket {
 public:
  FrameSocket(uint32_t ifindex, const std::vector<std::vector<uint8_t>>& frames)
      : messages_(kMessages), parts_(frames.size()) {
    address_.sll_family = AF_PACKET;
    address_.sll_protocol = htons(ETH_P_ALL);
    address_.sll_ifindex = static_cast<int>(ifindex);
    for (size_t i = 0; i < frames.size(); i++) {
      parts_[i] = {const_cast<uint8_t*>(frames[i].data()), frames[i].size()};
    }
  }

  /** In the namespace of the thread that calls. 0 or -errno. */
  int Open() {
    // Protocol 0 hears nothing.
    fd_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    const int bypass = 1;
    if (!fd_.valid()) return -errno;
    return setsockopt(fd_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) < 0 ? -errno : 0;
  }

  int64_t Send(uint64_t packets) {
    const auto count = static_cast<unsigned>(std::min<uint64_t>(packets, kMessages));
    for (unsigned i = 0; i < count; i++) {
      msghdr& header = messages_[i].msg_hdr;
      header.msg_name = &address_;
      header.msg_namelen = sizeof(address_);
      header.msg_iov = &parts_[(next_ + i) % parts_.size()];
      header.msg_iovlen = 1;
    }
    const int done = sendmmsg(fd_.get(), messages_.data(), count, 0);
    if (done < 0) return errno == EINTR || errno == ENOBUFS ? 0 : -errno;
    next_ = (next_ + static_cast<size_t>(done)) % parts_.size();
    return done;
  }

 private:
  sockaddr_ll address_ = {};
  UniqueFd fd_;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> parts_;
  size_t next_ = 0;
};

std::vector<uint8_t> CopyFrame(const Napi::Value& value) {
  const Bytes bytes = ToBytes(value, "frame");
  return {bytes.data, bytes.data + bytes.size};
}

std::shared_ptr<Job> ReadJob(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  const Napi::Object options = ToObject(value, "job");
  auto job = std::make_shared<Job>();
  job->place.net_namespace = OpenNamespace(env, ToText(options.Get("namespace"), "namespace"));
  job->place.cpu = ToUint32(options.Get("cpu"), "cpu");
  const BpfMap& map = BpfMap::From(options.Get("arrivals"), "arrivals");
  job->count = std::make_unique<ArrivalCount>(map.Fd(env));
  if (!job->count->valid()) ThrowErrno(env, errno, "mmap map", map.name());
  job->packets = ToUint32(options.Get("packets"), "packets");
  job->patience_ns = uint64_t{ToUint32(options.Get("patienceMs"), "patienceMs")} * 1'000'000;
  return job;
}

Napi::Value OutcomeOf(Napi::Env env, const Job& job) {
  Napi::Object outcome = Napi::Object::New(env);
  outcome.Set("sent", static_cast<double>(job.sent));
  outcome.Set("arrived", static_cast<double>(job.arrived));
  outcome.Set("elapsedNs", static_cast<double>(job.elapsed_ns));
  return outcome;
}

Napi::Value JsSendLive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  const auto program_fd = std::make_shared<UniqueFd>(Duplicate(program.Fd(env)));
  if (!program_fd->valid()) ThrowErrno(env, errno, "duplicate", program.name());
  const auto job = ReadJob(info[2]);
  return ThreadedCall::Start(
      env, "sendLive", program.name(),
      [job, program_fd, frame = CopyFrame(info[1])](ThreadFailure* failure) {
        if (!EnterPlace(job->place, failure)) return;
        Run(job.get(), "run live frames of program", failure,
            [&](uint64_t packets) { return RunLiveFrames(program_fd->get(), frame, packets, &job->idle_ns); });
      },
      [job](Napi::Env result_env) { return OutcomeOf(result_env, *job); });
}

Napi::Value JsSendPackets(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t ifindex = ToUint32(info[0], "ifindex");
  if (!info[1].IsArray() || info[1].As<Napi::Array>().Length() == 0) {
    throw Napi::TypeError::New(env, "frames must be an array of at least one Uint8Array");
  }
  const auto list = info[1].As<Napi::Array>();
  std::vector<std::vector<uint8_t>> frames;
  for (uint32_t i = 0; i < list.Length(); i++) frames.push_back(CopyFrame(list.Get(i)));
  const auto job = ReadJob(info[2]);
  return ThreadedCall::Start(
      env, "sendPackets", "interface " + std::to_string(ifindex),
      [job, ifindex, frames = std::move(frames)](ThreadFailure* failure) {
        FrameSocket socket(ifindex, frames);
        if (!EnterPlace(job->place, failure)) return;
        const int error = socket.Open();
        if (error < 0) return failure->Note(-error, "open packet socket for");
        Run(job.get(), "send packets to", failure, [&](uint64_t packets) { return socket.Send(packets); });
      },
      [job](Napi::Env result_env) { return OutcomeOf(result_env, *job); });
}

}  // namespace

void InitSender(Napi::Env env, Napi::Object exports) {
  exports.Set("sendLive", Napi::Function::New<JsSendLive>(env, "sendLive"));
  exports.Set("sendPackets", Napi::Function::New<JsSendPackets>(env, "sendPackets"));
}

}  // namespace tortie
