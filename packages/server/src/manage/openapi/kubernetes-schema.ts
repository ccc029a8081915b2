import { z } from 'zod';

const watch = z.strictObject({
  name: z.string().describe('what is followed'),
  phase: z.string().describe('what the watch is doing'),
  synced: z.boolean().describe('it was listed once'),
  items: z.number().describe('how many there are'),
  stalenessMs: z.number().exactOptional().describe('milliseconds since the last proof of life'),
  problem: z.string().exactOptional().describe('why it does not go on'),
});

const registration = z.strictObject({
  state: z.string(),
  repairs: z.number().describe('how often somebody else had changed it'),
  notes: z
    .array(z.strictObject({ policy: z.string(), level: z.enum(['info', 'warning']), text: z.string() }))
    .describe('policies that are not, or not wholly, registered, and why'),
  problem: z.string().exactOptional(),
});

export const kubernetesStatusSchema = z.strictObject({
  server: z.string().describe('address of the API server'),
  identity: z.string().describe('name of this replica'),
  leader: z.string().exactOptional().describe('the replica that holds the lease, as far as is known'),
  watches: z.array(watch),
  registration: registration.exactOptional().describe('absent when this server registers no webhooks'),
});
