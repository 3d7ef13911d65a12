import type { Socket } from "node:net";

/**
 * Ends a connection with a reset, as a host that is gone would. One that is being ended already is destroyed
 * instead: libuv refuses to reset it (`uv_tcp_close_reset`, EINVAL), Node marks its handle as closing all the
 * same, and the process spins for ever when it exits.
 */
export function cut(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
