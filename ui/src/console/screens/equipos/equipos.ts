/** What is to be looked at in a list of devices. Pure. */
import type { AdminDevice } from '../../api/wire';

const DAY_MS = 86_400_000;
/** Nobody closes for longer than this without a reason. */
export const QUIET_DAYS = 7;

/** Whether the PC was not heard of for long. A revoked one has no say. */
export function isQuiet(device: AdminDevice, now_ms: number): boolean {
  return device.revoked_at === null && now_ms - Date.parse(device.last_contact_at) > QUIET_DAYS * DAY_MS;
}

/** Whether it still has something to deliver: what a revoked one holds, too. */
export function hasBacklog(device: AdminDevice): boolean {
  return (device.waiting ?? 0) > 0;
}

/** Those with something about them, the largest backlog first, then the longest silence. */
export function toLookAt(devices: AdminDevice[], now_ms: number): AdminDevice[] {
  return devices
    .filter((device) => isQuiet(device, now_ms) || hasBacklog(device))
    .sort(
      (one, other) =>
        (other.waiting ?? 0) - (one.waiting ?? 0) ||
        Date.parse(one.last_contact_at) - Date.parse(other.last_contact_at),
    );
}
