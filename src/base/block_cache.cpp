#include "base/block_cache.h"

#include <utility>

namespace cwire {

namespace {
thread_local BlockCache* of_this_thread = nullptr;
}  // namespace

BlockCache::~BlockCache() { release_all(); }

void BlockCache::serve_this_thread() {
  if (kKeeps) of_this_thread = this;
}

std::size_t BlockCache::list_for(std::size_t size) {
  if (size <= kStepsMax) return (size - 1) / kStep;
  std::size_t list = kSteps;
  std::size_t quarter = kStepsMax / 4;  // of the power of two below
  while (size > 8 * quarter && list < kLists) {
    quarter *= 2;
    list += 4;
  }
  return list + (size - 1) / quarter - 4;
}

std::size_t BlockCache::size_of(std::size_t list) {
  if (list < kSteps) return (list + 1) * kStep;
  const std::size_t doublings = (list - kSteps) / 4;
  return (5 + (list - kSteps) % 4) * ((kStepsMax / 4) << doublings);
}

void* BlockCache::take(std::size_t size) {
  const std::size_t whole = sizeof(Head) + size;
  const std::size_t list = list_for(whole);
  if (list >= kLists) return new (::operator new(whole)) Head{kLists, nullptr} + 1;
  BlockCache* cache = of_this_thread;
  if (cache == nullptr) return new (::operator new(size_of(list))) Head{list, nullptr} + 1;
  // Or one size larger: what is sent and what is received often differ by less, and where another thread takes the
  // events, the blocks of what was sent are all there is.
  Head** free = &cache->free_[list];
  if (*free == nullptr && list + 1 < kLists) ++free;
  Head* head = *free;
  if (head == nullptr) return new (::operator new(size_of(list))) Head{list, nullptr} + 1;
  *free = head->next;
  cache->kept_ -= size_of(head->list);
  return head + 1;
}

void BlockCache::give_back(void* block) noexcept {
  Head* head = static_cast<Head*>(block) - 1;
  BlockCache* cache = of_this_thread;
  if (cache == nullptr || head->list >= kLists) return ::operator delete(head);
  if (cache->kept_ + size_of(head->list) > kKeptMax) cache->release_all();
  head->next = cache->free_[head->list];
  cache->free_[head->list] = head;
  cache->kept_ += size_of(head->list);
}

void BlockCache::release_all() noexcept {
  for (Head*& list : free_) {
    while (list != nullptr) ::operator delete(std::exchange(list, list->next));
  }
  kept_ = 0;
}

}  // namespace cwire
