import { ALGORITHMS, specOf } from '../../src/jose/algorithms.ts';
import { describeHsmContract } from '../contract/hsm-contract.ts';
import { openPool, whenReady } from '../fixtures/hsm-pool.ts';
import { makeSoftHsmToken } from '../fixtures/softhsm-token.ts';

const OF_SOFTHSM2 = ALGORITHMS.filter((algorithm) => specOf(algorithm).keyType !== 'AKP');

describeHsmContract(
  'the pool over SoftHSM2',
  async () => {
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
  },
  OF_SOFTHSM2,
);
