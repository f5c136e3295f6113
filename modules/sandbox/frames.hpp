// modules/sandbox/frames.hpp: what goes over the sockets between daemon, zygote and jobs.
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace holdfast::sandbox {

inline constexpr int kJobSocket = 3, kJobInput = 4;       // the descriptors of a job
inline constexpr std::size_t kPieceBytesMax = 64u << 10;  // of one 'D' frame

/// False at the end of the stream.
bool read_all(int fd, void* data, std::size_t size);

/// Type byte, u32 length, bytes.
bool write_frame(int fd, char type, std::string_view body);

/// To the zygote, with the job's socket and perhaps its input.
bool send_order(int control, Order const& order, int const* fds, std::size_t count);

/// 0 at the end of the stream, else the number of descriptors received; -1 when nothing usable came.
int receive_order(int control, Order& order, std::array<int, 2>& fds);

/// To a job that asked for one.
bool send_descriptor(int socket, char type, int fd);

/// As receive_order(). `type` is what was received, with a descriptor or without.
int receive_descriptor(int socket, char& type, std::array<int, 2>& fds);

}  // namespace holdfast::sandbox
