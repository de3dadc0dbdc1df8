#pragma once
// Processes that do the same thing at the same time, in two steps: they start, and when told, do it and report.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace mere::command {

// What a worker says when it is done; sent through a pipe as it is.
struct WorkerReport {
  bool failed = false;
  char reason[32] = {};  // of the Error, if it failed
  char message[1024] = {};
  std::uint64_t numbers[6] = {};
};

// Forked at once; each waits. All end, whatever happens, when this does.
class WorkerProcesses {
 public:
  // `work` runs in each worker after start(), and what it returns is reported. What it keeps in `keep` lives until the
  // worker is released, so that its memory can be measured.
  using Work = std::function<WorkerReport(std::vector<std::function<void()>>& keep)>;

  // Returns when every worker is up and waits. Throws Error: system_call.
  WorkerProcesses(unsigned count, const Work& work);
  ~WorkerProcesses();
  WorkerProcesses(const WorkerProcesses&) = delete;
  WorkerProcesses& operator=(const WorkerProcesses&) = delete;

  std::vector<pid_t> pids() const;
  // Lets all begin, waits for every report. Throws the first worker's Error; system_call if one died.
  std::vector<WorkerReport> start();

 private:
  struct Worker {
    pid_t pid = -1;
    int control = -1;  // our end of a socket pair
  };
  void stop() noexcept;

  std::vector<Worker> workers_;
};

}  // namespace mere::command
