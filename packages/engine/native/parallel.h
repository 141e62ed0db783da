// Threads for the fused kernels. TensorFlow's C API for kernels hands out no thread pool, so this library has its own:
// the calling thread works too, and a kernel that finds the pool busy (another session) does all its work itself.
#ifndef MIMLAB_PARALLEL_H_
#define MIMLAB_PARALLEL_H_

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace mimlab {

class Pool {
 public:
  using Body = std::function<void(int64_t)>;

  // Threads that work at once, the caller included. Workers are started once and live as long as the process.
  void Grow(int threads) {
    std::lock_guard<std::mutex> use(use_);
    while (static_cast<int>(workers_.size()) + 1 < threads) {
      workers_.push_back(std::make_unique<Worker>());
      Worker* const worker = workers_.back().get();
      std::thread thread([this, worker] { Work(worker); });
      worker->thread = thread.native_handle();
      thread.detach();
    }
  }

  // Calls body(0) .. body(tasks - 1), in any order and on any thread; returns when all are done.
  void Run(int64_t tasks, const Body& body) {
    std::unique_lock<std::mutex> use(use_, std::try_to_lock);
    if (!use.owns_lock() || workers_.empty() || tasks < 2) {
      for (int64_t task = 0; task < tasks; task++) body(task);
      return;
    }
    MakeRoom();
    {
      std::lock_guard<std::mutex> lock(state_);
      body_ = &body;
      tasks_ = tasks;
      next_.store(0, std::memory_order_relaxed);
      left_.store(tasks, std::memory_order_relaxed);
      round_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    Drain();
    while (left_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
    // No worker may still look at this round's body when the next one begins.
    std::lock_guard<std::mutex> lock(state_);
    body_ = nullptr;
    while (inside_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
  }

 private:
  struct Worker {
    pthread_t thread{};
    // Where it last went to sleep.
    std::atomic<int> cpu{-1};
  };

  // A busy machine likes to wake a worker on the processor of the thread that wakes it, where it waits until that thread
  // has done all the work. Workers found there are kept from it.
  void MakeRoom() {
    const int own = sched_getcpu();
    for (const std::unique_ptr<Worker>& worker : workers_) {
      if (own < 0 || worker->cpu.load(std::memory_order_relaxed) != own) continue;
      cpu_set_t others = allowed_;
      CPU_CLR(own, &others);
      if (CPU_COUNT(&others) > 0) pthread_setaffinity_np(worker->thread, sizeof others, &others);
    }
  }

  static cpu_set_t AllowedProcessors() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    return allowed;
  }

  void Drain() {
    for (;;) {
      const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks_) return;
      (*body_)(task);
      left_.fetch_sub(1, std::memory_order_release);
    }
  }

  void Work(Worker* self) {
    uint64_t seen = 0;
    for (;;) {
      // Kernels follow each other closely: a short wait without sleeping saves the wake-up.
      const auto patience = std::chrono::steady_clock::now() + std::chrono::microseconds(30);
      while (round_.load(std::memory_order_acquire) == seen && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
      self->cpu.store(sched_getcpu(), std::memory_order_relaxed);
      {
        std::unique_lock<std::mutex> lock(state_);
        wake_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != seen; });
        seen = round_.load(std::memory_order_acquire);
        if (body_ == nullptr) continue;
        inside_.fetch_add(1, std::memory_order_acquire);
      }
      Drain();
      inside_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex use_, state_;
  std::condition_variable wake_;
  std::atomic<uint64_t> round_{0};
  std::atomic<int64_t> next_{0}, left_{0};
  std::atomic<int> inside_{0};
  int64_t tasks_ = 0;
  const Body* body_ = nullptr;
  std::vector<std::unique_ptr<Worker>> workers_;
  const cpu_set_t allowed_ = AllowedProcessors();
};

// Never destroyed: its threads outlive main.
inline Pool& SharedPool() {
  static Pool* const pool = new Pool;
  return *pool;
}

// Runs body(begin, end) over 0 .. total - 1, cut into at most 16 pieces of at least `grain`. The cut depends on these
// numbers alone, so sums by piece come out the same on any number of threads.
inline int64_t PiecesOf(int64_t total, int64_t grain) {
  const int64_t pieces = total / (grain < 1 ? 1 : grain);
  return pieces < 1 ? 1 : pieces > 16 ? 16 : pieces;
}

template <typename F>
void ByPieces(int64_t total, int64_t pieces, const F& body) {
  SharedPool().Run(pieces, [&](int64_t piece) { body(piece, total * piece / pieces, total * (piece + 1) / pieces); });
}

}  // namespace mimlab

#endif  // MIMLAB_PARALLEL_H_
