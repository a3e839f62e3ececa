import { describeHsmContract } from '../contract/hsm-contract.ts';
import { openPool, whenReady } from '../fixtures/hsm-pool.ts';
import { makeSoftHsmToken } from '../fixtures/softhsm-token.ts';

describeHsmContract('the pool over SoftHSM2', async () => {
  const token = makeSoftHsmToken();
  const hsm = openPool(token);
  await whenReady(hsm);
  return {
    hsm,
    async dispose() {
      await hsm.close(2_000);
      token.dispose();
    },
  };
});
