#pragma once
// Threads for one job: started, used and joined within a call, so that none lives over a fork.

#include <cstddef>
#include <cstdint>
#include <functional>

namespace mere::os {

// 0 becomes the number of processors this process may use, at most 4.
unsigned thread_count(unsigned asked);

// Calls work(index, worker) for every index below `count`, on `threads` threads, the calling one among them (worker 0
// .. threads - 1). Indexes are taken in order. The first exception stops the rest and is thrown here.
void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t index, unsigned worker)>& work);

// A pipeline with an order: make(index, slot) on any thread, then take(index, slot) on the calling thread, in the order
// of indexes. At most `slots` are under way, so the memory of a slot bounds the memory of all. One thread: make and
// take in turn. The first exception, from either, stops everything and is thrown here.
void ordered_pipeline(std::size_t count, std::size_t slots, unsigned threads,
                      const std::function<void(std::size_t index, std::size_t slot)>& make,
                      const std::function<void(std::size_t index, std::size_t slot)>& take);

}  // namespace mere::os
