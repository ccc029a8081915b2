import type { LoadOrder } from './load-protocol.ts';
import { runLoad } from './run-load.ts';

/** Entry of the generator's own process: one order after the other, until the parent is gone. */
process.on('message', (order: LoadOrder) => {
  void runLoad(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ problem: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
