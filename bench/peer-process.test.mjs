import { describe, expect, it } from 'vitest';
import { startPeer } from './peer-process.mjs';

const node = (program) => startPeer(process.execPath, ['--input-type=module', '-e', program], {});

describe('a peer', () => {
  it('answers each request with one line, whatever else it prints', async () => {
    const peer = await node(`
      import { createInterface } from 'node:readline';
      console.log('loading'); console.log('{"ready":true}');
      for await (const line of createInterface({ input: process.stdin })) console.log('noise\\n' + JSON.stringify({ got: JSON.parse(line) }));`);
    expect(peer.ready).toEqual({ ready: true });
    expect(await peer.ask({ steps: 2 })).toEqual({ got: { steps: 2 } });
    expect(await peer.ask({ steps: 3 })).toEqual({ got: { steps: 3 } });
    peer.stop();
  });

  it('that cannot run gives its reason', async () => {
    await expect(node(`console.log('{"failed":"no such model"}')`)).rejects.toThrow('no such model');
  });

  it('that ends takes its complaints along', async () => {
    await expect(node(`console.error('out of memory'); process.exit(3)`)).rejects.toThrow(/ended with code 3: out of memory\n/);
    await expect(node(`throw new RangeError('no room')`)).rejects.toThrow(/ended with code 1: RangeError: no room\n/);
    await expect(node('process.exit(5)')).rejects.toThrow('code 5: it said nothing');
  });

  it('that is no program is named', async () => {
    await expect(startPeer('/no/such/python', [], {})).rejects.toThrow('/no/such/python');
  });

  it('that ends between requests fails the next one', async () => {
    const peer = await node(`console.log('{"ready":true}'); process.stdin.once('data', () => process.exit(4))`);
    await expect(peer.ask({ steps: 1 })).rejects.toThrow('code 4');
  });
});
