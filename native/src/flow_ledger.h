// What has been told of which flow, and what is new: counters of the flow table against those that were told before. Knows no
// JavaScript. All memory is shared with the kernel; entries are read while programs write to them.
#pragma once

#include <linux/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

extern "C" {
#include "abi/common.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/heap.h"
}

namespace tortie {

struct FlowShape {
  uint32_t regions;
  uint32_t room;         // entries of a region that are used
  uint32_t cache_slots;  // of one CPU
  uint32_t cache_total;
  uint32_t hz;
};

struct FlowMemory {
  uint8_t* flows;
  const tt_cached_flow* cache;
  tt_flow_told* told;
};

struct FlowsLeftOut {
  uint64_t reports = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
};

/** Where reports go: as many as it has room for, the rest is counted. */
class ReportSink {
 public:
  ReportSink(size_t room, FlowsLeftOut* left_out) : room_(room), left_out_(left_out) {}

  void Put(const tt_flow_report& report) {
    if (!IsFull()) {
      reports_.push_back(report);
      return;
    }
    LeaveOut(report.packets[0] + report.packets[1], report.bytes[0] + report.bytes[1]);
  }

  void LeaveOut(uint64_t packets, uint64_t bytes) {
    left_out_->reports++;
    left_out_->packets += packets;
    left_out_->bytes += bytes;
  }

  bool IsFull() const { return reports_.size() >= room_; }
  const std::vector<tt_flow_report>& reports() const { return reports_; }

 private:
  std::vector<tt_flow_report> reports_;
  size_t room_;
  FlowsLeftOut* left_out_;
};

class FlowLedger {
 public:
  static constexpr size_t RegionBytes() {
    return TT_FLOW_REGION_HEAD + TT_FLOW_REGION_BUCKETS * sizeof(tt_flow_bucket) +
           TT_FLOW_REGION_ENTRIES * sizeof(tt_flow_entry);
  }

  FlowLedger(const FlowMemory& memory, const FlowShape& shape) : memory_(memory), shape_(shape) {}

  /** One past the last place of the table. */
  uint32_t places() const { return shape_.regions * TT_FLOW_REGION_ENTRIES; }

  /** Takes all that is there as told already. */
  void Adopt();
  /** Reports what is new of flows from a place on, until all are done or the sink is full. Returns where to go on. */
  uint32_t Sweep(uint32_t from, uint64_t jiffies, bool leaves_out, ReportSink* sink);
  /** Reports what an event of the programs says, if it is one about counts. */
  void Settle(const uint8_t* record, size_t size, ReportSink* sink);
  /** Slots of the flow cache whose counts wait for a packet that has not come for two seconds. */
  std::vector<uint32_t> IdleSlots(uint64_t jiffies) const;

 private:
  struct Orphan {
    uint32_t place;
    uint64_t created;
    uint64_t key_hash;
    bool operator==(const Orphan& other) const {
      return place == other.place && created == other.created && key_hash == other.key_hash;
    }
  };
  struct OrphanHash {
    size_t operator()(const Orphan& orphan) const { return orphan.key_hash ^ orphan.created * 0x9e3779b97f4a7c15ULL; }
  };
  struct Aged {
    Orphan orphan;
    uint64_t jiffies;
  };

  tt_flow_entry* EntryAt(uint32_t place) const;
  bool IsOver(const tt_flow_entry& entry, uint64_t jiffies) const;
  bool MayTakePlace(const tt_flow_entry& now, const tt_flow_told& told, uint64_t jiffies) const;
  void Visit(uint32_t place, uint64_t jiffies, ReportSink* sink);
  void Advance(const tt_flow_entry& now, uint64_t jiffies, bool is_over, tt_flow_told* told, ReportSink* sink);
  void SettleEnd(const tt_flow_event& event, ReportSink* sink);
  void Finish(tt_flow_entry* gone, uint64_t jiffies, tt_flow_told* told, ReportSink* sink);
  void SettleCounts(const tt_flow_event& event, ReportSink* sink);
  void Orphaned(uint32_t place, const tt_flow_told& told, uint64_t jiffies);
  void ForgetOldOrphans(uint64_t jiffies);

  FlowMemory memory_;
  FlowShape shape_;
  /** When the first sweep was; 0 = it is yet to come. */
  uint64_t begun_ = 0;
  /** Told of flows that have lost their place, until the event comes that says with which counts. */
  std::unordered_map<Orphan, tt_flow_told, OrphanHash> orphans_;
  std::deque<Aged> orphan_ages_;
};

}  // namespace tortie
