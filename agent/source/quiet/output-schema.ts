/** What only filesystems that are read in place have. */
import { z } from 'zod'

export const quietPlanFields = {
  run: z.string().exactOptional().describe('Of what is read in place: the run.'),
  memory: z.string().exactOptional().describe('Of what is read in place: where it would be kept.'),
}

export const quietLeftoverFields = {
  run: z.string().exactOptional().describe('Of uploads that were remembered: their run.'),
  volume: z.string().exactOptional().describe('Of uploads that were remembered: the volume that they are of.'),
  unit: z.string().exactOptional().describe('Of a filesystem that was frozen: the unit of systemd that would thaw it.'),
  mountPoint: z.string().exactOptional().describe('Of a filesystem that was frozen: where it is mounted.'),
}
