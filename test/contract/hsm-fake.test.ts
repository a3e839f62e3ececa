import { FakeHsm } from '../fakes/fake-hsm.ts';
import { describeHsmContract } from './hsm-contract.ts';

describeHsmContract('the fake', async () => {
  const hsm = new FakeHsm();
  return { hsm, dispose: () => hsm.close() };
});
