// See flow_book.h.
#include "flow_book.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "flow_flush.h"
#include "map.h"
#include "program.h"
#include "util/args.h"
#include "util/errors.h"

namespace tortie {
namespace {

uint64_t ToJiffies(const Napi::Value& value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "jiffies must be a number");
  return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
}

uint32_t Field(const Napi::Object& object, const char* name) { return ToUint32(object.Get(name), name); }

Napi::Value ToReports(Napi::Env env, const ReportSink& sink) {
  const auto& reports = sink.reports();
  return FromBytes(env, reports.data(), reports.size() * sizeof(reports[0]));
}

}  // namespace

MappedArray::MappedArray(Napi::Env env, const Napi::Value& map, const char* name, size_t value_size,
                         size_t least_entries) {
  const BpfMap& source = BpfMap::From(map, name);
  const bpf_map_info& info = source.info();
  if (info.value_size != value_size || info.max_entries < least_entries) {
    throw Napi::RangeError::New(env, std::string(name) + " must have " + std::to_string(least_entries) + " values of " +
                                         std::to_string(value_size) + " bytes, has " + std::to_string(info.max_entries) +
                                         " of " + std::to_string(info.value_size));
  }
  length_ = size_t{info.max_entries} * value_size;
  address_ = mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_SHARED, source.Fd(env), 0);
  if (address_ == MAP_FAILED) {
    address_ = nullptr;
    ThrowErrno(env, errno, "mmap map", source.name());
  }
}

MappedArray::~MappedArray() {
  if (address_ != nullptr) munmap(address_, length_);
}

FlowBook::FlowBook(const Napi::CallbackInfo& info) : Handle(info) {
  FlowBookInit init = TakeInit();
  const FlowMemory memory{init.flows.As<uint8_t>(), init.cache.As<tt_cached_flow>(), init.told.As<tt_flow_told>()};
  const FlowShape shape = init.shape;
  open_ = std::make_unique<Open>(Open{std::move(init), FlowLedger(memory, shape)});
}

void FlowBook::Init(Napi::Env env, Napi::Object exports) {
  Register(env, exports,
           {
               OnClass<&FlowBook::JsOpen>("open"),
               OnInstance<&FlowBook::JsAdopt>("adopt"),
               OnInstance<&FlowBook::JsSweep>("sweep"),
               OnInstance<&FlowBook::JsSettle>("settle"),
               OnInstance<&FlowBook::JsFlush>("flush"),
               Getter<&FlowBook::JsLeftOut>("leftOut"),
               OnInstance<&FlowBook::JsClose>("close"),
           });
}

FlowBook::Open& FlowBook::Here(Napi::Env env) {
  if (!open_) ThrowClosed(env);
  return *open_;
}

Napi::Value FlowBook::JsOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object maps = ToObject(info[0], "maps");
  const Napi::Object given = ToObject(info[1], "shape");
  FlowShape shape{Field(given, "regions"), Field(given, "room"), Field(given, "cacheSlots"), 0, Field(given, "hz")};
  if (shape.room > TT_FLOW_REGION_ENTRIES || shape.regions > 65536 || shape.cache_slots == 0 || shape.hz == 0) {
    throw Napi::RangeError::New(env, "shape is not that of a flow table");
  }
  const BpfMap& cache = BpfMap::From(maps.Get("cache"), "cache");
  shape.cache_total = cache.info().max_entries;
  const size_t places = size_t{shape.regions} * TT_FLOW_REGION_ENTRIES;
  FlowBookInit init{MappedArray(env, maps.Get("flows"), "flows", FlowLedger::RegionBytes(), shape.regions),
                    MappedArray(env, maps.Get("cache"), "cache", sizeof(tt_cached_flow), shape.cache_total),
                    MappedArray(env, maps.Get("told"), "told", sizeof(tt_flow_told), places), shape};
  return Make(env, std::move(init));
}

Napi::Value FlowBook::JsAdopt(const Napi::CallbackInfo& info) {
  Here(info.Env()).ledger.Adopt();
  return info.Env().Undefined();
}

Napi::Value FlowBook::JsSweep(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ReportSink sink(ToUint32(info[2], "room"), &left_out_);
  const bool leaves_out = info[3].ToBoolean();
  const uint32_t next = Here(env).ledger.Sweep(ToUint32(info[0], "from"), ToJiffies(info[1]), leaves_out, &sink);
  Napi::Object result = Napi::Object::New(env);
  result.Set("reports", ToReports(env, sink));
  result.Set("next", next);
  result.Set("isDone", Napi::Boolean::New(env, next >= Here(env).ledger.places()));
  return result;
}

Napi::Value FlowBook::JsSettle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Bytes chunk = ToBytes(info[0], "chunk");
  ReportSink sink(ToUint32(info[1], "room"), &left_out_);
  FlowLedger& ledger = Here(env).ledger;
  for (size_t at = 0; at + sizeof(uint32_t) <= chunk.size;) {
    uint32_t length;
    memcpy(&length, chunk.data + at, sizeof(length));
    at += sizeof(length);
    if (length > chunk.size - at) break;
    ledger.Settle(chunk.data + at, length, &sink);
    at += (size_t{length} + 7) / 8 * 8;
  }
  return ToReports(env, sink);
}

Napi::Value FlowBook::JsFlush(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BpfProgram& program = BpfProgram::From(info[0], "program");
  const int fd = program.Fd(env);
  const Open& here = Here(env);
  const std::vector<uint32_t> slots = here.ledger.IdleSlots(ToJiffies(info[1]));
  const FlushResult done = FlushSlots(fd, slots, here.memory.shape.cache_slots);
  if (done.error != 0) ThrowErrno(env, done.error, "test run program", program.name());
  Napi::Object result = Napi::Object::New(env);
  result.Set("flushed", done.flushed);
  result.Set("waiting", static_cast<uint32_t>(slots.size() - done.flushed));
  return result;
}

Napi::Value FlowBook::JsLeftOut(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("reports", static_cast<double>(left_out_.reports));
  result.Set("packets", static_cast<double>(left_out_.packets));
  result.Set("bytes", static_cast<double>(left_out_.bytes));
  return result;
}

Napi::Value FlowBook::JsClose(const Napi::CallbackInfo& info) {
  open_.reset();
  return info.Env().Undefined();
}

}  // namespace tortie
