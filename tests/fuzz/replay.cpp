// The main of a target where there is no libFuzzer: runs it on each file that is named, and on each in a directory.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "fuzz.h"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> inputs;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) inputs.push_back(entry.path());
    } else {
      inputs.emplace_back(argv[i]);
    }
  }
  std::sort(inputs.begin(), inputs.end());
  for (const auto& path : inputs) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
      std::cerr << "cannot read " << path << '\n';
      return 1;
    }
    std::cerr << path.filename().string() << std::endl;  // the last one named is the one that failed
    // Memory of just this size, so that a sanitizer sees who reads beyond it.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
  }
  if (inputs.empty()) {
    std::cerr << "usage: " << argv[0] << " <file or directory>...\n";
    return 1;
  }
  std::cout << inputs.size() << " inputs\n";
  return 0;
}
