// See flow_ledger.h.
#include "flow_ledger.h"

#include <algorithm>
#include <cstring>

#include "flow_index.h"
#include "flow_read.h"
#include "flow_words.h"

extern "C" {
#include "lib/told.h"
}

namespace tortie {
namespace {

constexpr size_t kMaxOrphans = 262'144;
constexpr uint64_t kOrphanSeconds = 30;
/** A flow between two workloads is judged at both ends: this is how long the second one may take. Of a second, one part in. */
constexpr uint64_t kSettlingShare = 20;
/** For as long an event may wait in the ring: its reader looks every 100 ms, and has a thread of its own. */
constexpr uint64_t kEventSeconds = 2;

uint64_t KeyHash(const tt_flow_key& key) {
  uint64_t words[5];
  static_assert(sizeof(words) == sizeof(key));
  memcpy(words, &key, sizeof(words));
  uint64_t hash = 0;
  for (const uint64_t word : words) hash = tt_told_mix(hash, word);
  return hash;
}

tt_flow_told Untold(const tt_flow_entry& entry) {
  tt_flow_told told = {};
  told.created_jiffies = entry.flow.created_jiffies;
  told.key_hash = KeyHash(entry.key);
  told.since = static_cast<uint32_t>(entry.flow.created_jiffies);
  return told;
}

bool IsOf(const tt_flow_told& told, const tt_flow_entry& entry) {
  return told.created_jiffies == entry.flow.created_jiffies && told.key_hash == KeyHash(entry.key);
}

/** The counts of `now` that are not told yet, told with the words that the flow had. False: `now` was not read whole. */
bool NewCounts(const tt_flow& now, const tt_flow_told& told, tt_flow_report* report) {
  for (int i = 0; i < 2; i++) {
    report->packets[i] = now.packets[i] - told.packets[i];
    report->bytes[i] = now.bytes[i] - told.bytes[i];
    if (static_cast<int64_t>(report->packets[i]) < 0 || static_cast<int64_t>(report->bytes[i]) < 0) return false;
  }
  return true;
}

/** Jiffies from a moment of which the low half is known; 0 if it is yet to come. */
uint64_t Elapsed(uint64_t jiffies, uint32_t since) {
  const auto elapsed = static_cast<int32_t>(static_cast<uint32_t>(jiffies) - since);
  return elapsed > 0 ? static_cast<uint64_t>(elapsed) : 0;
}

bool HasCounts(const tt_flow_report& report) {
  return (report.packets[0] | report.packets[1] | report.bytes[0] | report.bytes[1]) != 0;
}

}  // namespace

tt_flow_entry* FlowLedger::EntryAt(uint32_t place) const {
  uint8_t* const region = memory_.flows + place / TT_FLOW_REGION_ENTRIES * RegionBytes();
  constexpr size_t kEntriesAt = TT_FLOW_REGION_HEAD + TT_FLOW_REGION_BUCKETS * sizeof(tt_flow_bucket);
  return reinterpret_cast<tt_flow_entry*>(region + kEntriesAt) + place % TT_FLOW_REGION_ENTRIES;
}

/** As the programs see it, only later: none of them lets a flow go on that has ended here. */
bool FlowLedger::IsOver(const tt_flow_entry& entry, uint64_t jiffies) const {
  const auto now = static_cast<uint32_t>(jiffies >> TT_FLOW_AGE_SHIFT);
  if (static_cast<int32_t>(entry.deadline - now) < 0) return true;
  return entry.flow.state == TT_FLOW_CLOSED && jiffies - entry.flow.seen_jiffies > shape_.hz &&
         static_cast<int64_t>(jiffies - entry.flow.seen_jiffies) > 0;
}

void FlowLedger::Adopt() {
  for (uint32_t place = 0; place < places(); place++) {
    tt_flow_entry now;
    if (place % TT_FLOW_REGION_ENTRIES >= shape_.room || !ReadEntry(EntryAt(place), &now)) {
      memory_.told[place] = {};
      continue;
    }
    tt_flow_told told = Untold(now);
    memcpy(told.packets, now.flow.packets, sizeof(told.packets));
    memcpy(told.bytes, now.flow.bytes, sizeof(told.bytes));
    told.flags = TT_TOLD_START;
    if (IsDenied(now.flow)) {
      told.flags |= TT_TOLD_DENIED | TT_TOLD_END;
    } else {
      TakeWords(now.flow, &told);
    }
    told.state = now.flow.state;
    memory_.told[place] = told;
  }
  orphans_.clear();
  orphan_ages_.clear();
}

uint32_t FlowLedger::Sweep(uint32_t from, uint64_t jiffies, bool leaves_out, ReportSink* sink) {
  if (begun_ == 0) begun_ = jiffies;
  if (from == 0) ForgetOldOrphans(jiffies);
  for (uint32_t region = from / TT_FLOW_REGION_ENTRIES; region < shape_.regions; region++) {
    const PlacesTaken taken = TakenPlaces(memory_.flows + region * RegionBytes());
    const uint32_t first = region * TT_FLOW_REGION_ENTRIES;
    for (uint32_t number = from > first ? from - first : 0; number < shape_.room; number++) {
      if (!taken[number]) continue;
      if (!leaves_out && sink->IsFull()) return first + number;
      Visit(first + number, jiffies, sink);
    }
  }
  return places();
}

void FlowLedger::Visit(uint32_t place, uint64_t jiffies, ReportSink* sink) {
  tt_flow_told& told = memory_.told[place];
  tt_flow_entry* const entry = EntryAt(place);
  tt_flow_entry now;
  if (!ReadEntry(entry, &now)) return;
  if (!IsOf(told, now)) {
    if (!MayTakePlace(now, told, jiffies)) return;
    Orphaned(place, told, jiffies);
    told = Untold(now);
  }
  const bool is_over = IsOver(now, jiffies);
  Advance(now, jiffies, is_over, &told, sink);
  told.flags &= static_cast<uint8_t>(~TT_TOLD_ALL);
  // The programs need not say with which counts it goes, unless there are more then.
  if (is_over && memcmp(told.packets, now.flow.packets, sizeof(told.packets)) == 0 &&
      memcmp(told.bytes, now.flow.bytes, sizeof(told.bytes)) == 0) {
    const uint64_t fingerprint = tt_told_fingerprint(&now.flow);
    if (now.flow.told != fingerprint) __atomic_store_n(&entry->flow.told, fingerprint, __ATOMIC_RELAXED);
    told.flags |= TT_TOLD_ALL;
  }
}

/**
 * Whether a flow may have the place that what is told of another one is in: that outlives this process, orphans do not. The
 * flow's second end must have been asked; and the event must have been read that says with which counts the other one went, unless
 * none comes of it. What was in the ring when we began comes soon after.
 */
bool FlowLedger::MayTakePlace(const tt_flow_entry& now, const tt_flow_told& told, uint64_t jiffies) const {
  const auto hz = static_cast<int64_t>(shape_.hz);
  const auto age = static_cast<int64_t>(jiffies - now.flow.created_jiffies);
  // A moment that is far ahead is no moment: whoever begins one flow over and over drives it there.
  if (age <= -hz) return true;
  if (age < hz / static_cast<int64_t>(kSettlingShare)) return false;
  if (told.created_jiffies == 0 || (told.flags & TT_TOLD_ALL)) return true;
  const auto wait = hz * static_cast<int64_t>(kEventSeconds);
  return age >= wait && static_cast<int64_t>(jiffies - begun_) >= wait;
}

/**
 * What is told only grows with what the table says of one flow: nothing is told twice, and what one look misses the next
 * one tells. Counts that wait in a flow cache are in no sum here before they are in the table, or in an event of their own.
 */
void FlowLedger::Advance(const tt_flow_entry& now, uint64_t jiffies, bool is_over, tt_flow_told* told,
                         ReportSink* sink) {
  tt_flow_report report = {};
  if (!NewCounts(now.flow, *told, &report)) return;
  const uint8_t before = told->flags;
  const bool is_denied = IsDenied(now.flow);
  const bool has_turned = !is_denied && (before & TT_TOLD_START) && HasTurned(now.flow, *told);
  const bool has_new_words = has_turned || (!is_denied && (before & TT_TOLD_DENIED));
  if (!is_denied && !has_turned) TakeWords(now.flow, told);
  if (!(before & TT_TOLD_START) && !(is_denied && !HasCounts(report))) report.phase |= TT_PHASE_START;
  const bool has_begun = (before & TT_TOLD_START) || (report.phase & TT_PHASE_START);
  if (has_begun && !(before & TT_TOLD_END) && (is_over || is_denied || has_turned)) report.phase |= TT_PHASE_END;
  if (before & TT_TOLD_END) report.phase |= TT_PHASE_COUNTS;
  report.key = now.key;
  PutWords(now.flow, *told, &report);
  report.state = now.flow.state;
  report.flags = now.flow.flags;
  report.tcp_flags = now.flow.tcp_flags;
  report.created_jiffies = now.flow.created_jiffies;
  report.since_jiffies = jiffies - Elapsed(jiffies, told->since);
  report.until_jiffies = jiffies;
  const bool is_told = HasCounts(report) || (report.phase & (TT_PHASE_START | TT_PHASE_END));
  if (is_told) sink->Put(report);
  if (has_begun) told->flags |= TT_TOLD_START;
  if (report.phase & TT_PHASE_END) told->flags |= TT_TOLD_END;
  if (is_denied) told->flags |= TT_TOLD_DENIED;
  memcpy(told->packets, now.flow.packets, sizeof(told->packets));
  memcpy(told->bytes, now.flow.bytes, sizeof(told->bytes));
  told->state = now.flow.state;
  if (is_told) told->since = static_cast<uint32_t>(jiffies);
  if (!has_new_words) return;
  TakeWords(now.flow, told);
  told->flags = TT_TOLD_START | (is_over ? TT_TOLD_END : 0);
  report.phase = TT_PHASE_START | (is_over ? TT_PHASE_END : 0);
  PutWords(now.flow, *told, &report);
  report.since_jiffies = jiffies;
  for (int i = 0; i < 2; i++) report.packets[i] = report.bytes[i] = 0;
  sink->Put(report);
}

void FlowLedger::Settle(const uint8_t* record, size_t size, ReportSink* sink) {
  tt_flow_event event;
  if (size < sizeof(event)) return;
  memcpy(&event, record, sizeof(event));
  if (event.kind == TT_EVENT_FLOW_COUNTS) SettleCounts(event, sink);
  if (event.kind == TT_EVENT_FLOW_ENDED && event.place < places()) SettleEnd(event, sink);
}

/**
 * A flow went with these counts. What was told of it is in its place, or, if a sweep has met the next one there, among the
 * orphans. In neither: nothing was told of it; or, if it bears a fingerprint, some of it was, and nobody knows how much of it:
 * then all of it counts as left out.
 */
void FlowLedger::SettleEnd(const tt_flow_event& event, ReportSink* sink) {
  tt_flow_entry gone = {};
  gone.key = event.key;
  gone.flow = event.flow;
  tt_flow_told& told = memory_.told[event.place];
  if (IsOf(told, gone)) {
    Finish(&gone, event.jiffies, &told, sink);
    told = {};
    return;
  }
  const auto orphan = orphans_.find({event.place, event.flow.created_jiffies, KeyHash(event.key)});
  if (orphan != orphans_.end()) {
    Finish(&gone, event.jiffies, &orphan->second, sink);
    orphans_.erase(orphan);
    return;
  }
  if (event.flow.told != 0) {
    sink->LeaveOut(event.flow.packets[0] + event.flow.packets[1], event.flow.bytes[0] + event.flow.bytes[1]);
    return;
  }
  tt_flow_told untold = Untold(gone);
  Advance(gone, event.jiffies, true, &untold, sink);
}

/** Packets of other CPUs that came behind the event's copy, and that a sweep has told, went with the flow. */
void FlowLedger::Finish(tt_flow_entry* gone, uint64_t jiffies, tt_flow_told* told, ReportSink* sink) {
  for (int i = 0; i < 2; i++) {
    gone->flow.packets[i] = std::max(gone->flow.packets[i], told->packets[i]);
    gone->flow.bytes[i] = std::max(gone->flow.bytes[i], told->bytes[i]);
  }
  Advance(*gone, jiffies, true, told, sink);
}

void FlowLedger::SettleCounts(const tt_flow_event& event, ReportSink* sink) {
  tt_flow_report report = {};
  report.key = event.key;
  report.egress_word = event.flow.egress_word;
  report.ingress_word = event.flow.ingress_word;
  report.phase = TT_PHASE_COUNTS;
  report.state = TT_FLOW_ESTABLISHED;
  report.flags = event.flow.flags;
  report.created_jiffies = event.flow.created_jiffies;
  report.since_jiffies = event.flow.created_jiffies;
  report.until_jiffies = event.jiffies;
  memcpy(report.packets, event.flow.packets, sizeof(report.packets));
  memcpy(report.bytes, event.flow.bytes, sizeof(report.bytes));
  sink->Put(report);
}

void FlowLedger::Orphaned(uint32_t place, const tt_flow_told& told, uint64_t jiffies) {
  if (told.created_jiffies == 0) return;
  if (orphan_ages_.size() >= kMaxOrphans) {
    orphans_.erase(orphan_ages_.front().orphan);
    orphan_ages_.pop_front();
  }
  const Orphan orphan{place, told.created_jiffies, told.key_hash};
  orphans_[orphan] = told;
  orphan_ages_.push_back({orphan, jiffies});
}

/** All of those were told when they went: the programs send no event then. */
void FlowLedger::ForgetOldOrphans(uint64_t jiffies) {
  while (!orphan_ages_.empty() &&
         static_cast<int64_t>(jiffies - orphan_ages_.front().jiffies) > static_cast<int64_t>(kOrphanSeconds * shape_.hz)) {
    orphans_.erase(orphan_ages_.front().orphan);
    orphan_ages_.pop_front();
  }
}

std::vector<uint32_t> FlowLedger::IdleSlots(uint64_t jiffies) const {
  std::vector<uint32_t> slots;
  for (uint32_t index = 0; index < shape_.cache_total; index++) {
    const tt_cached_flow& slot = memory_.cache[index];
    if (LoadWord(&slot.packets) == 0) continue;
    if (static_cast<int64_t>(jiffies - LoadWord(&slot.synced_jiffies)) >= static_cast<int64_t>(2 * shape_.hz)) {
      slots.push_back(index);
    }
  }
  return slots;
}

}  // namespace tortie
