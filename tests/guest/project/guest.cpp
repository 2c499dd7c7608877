// SPDX-License-Identifier: MIT
// A stranger's program: finds an installed Overtake, computes a gradient and catches an error.
#include <iostream>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/version.hpp"

int main() {
  overtake::Array x = overtake::Array::from(std::vector<float>{1, 2, 3}, {3});
  x.requires_grad();
  overtake::sum(overtake::square(x)).backward();
  if (x.grad().to_vector<float>() != std::vector<float>{2, 4, 6}) return 1;
  try {
    const overtake::Device device("no-such-processor");
    return 2;
  } catch (const overtake::UsageError& error) {
    std::cout << "Overtake " << overtake::version() << " says: " << error.what() << '\n';
  }
}
