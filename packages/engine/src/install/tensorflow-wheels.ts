import { EngineError } from '@mimlab/core';

/** The TensorFlow that set-up installs, and that the engines are tested with. */
export const TENSORFLOW_VERSION = '2.21.0';

/** One file of PyPI, fixed by version and content. */
export interface PinnedWheel {
  readonly distribution: string;
  readonly version: string;
  readonly sha256: string;
}

/** Everything one kind of TensorFlow is unpacked from. */
export interface WheelSet {
  readonly kind: 'cpu' | 'cuda';
  readonly wheels: readonly PinnedWheel[];
  /** Platform tags that pip is to accept, whatever machine and Python it runs on. */
  readonly platforms: readonly string[];
  /** Bytes of the files to download, and of what is kept of them. */
  readonly downloadBytes: number;
  readonly unpackedBytes: number;
}

const tensorflow = (distribution: string, sha256: string): PinnedWheel => ({ distribution, version: TENSORFLOW_VERSION, sha256 });
const nvidia = (distribution: string, version: string, sha256: string): PinnedWheel => ({ distribution, version, sha256 });

const CPU_X64: WheelSet = {
  kind: 'cpu',
  wheels: [tensorflow('tensorflow-cpu', '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c')],
  platforms: ['manylinux_2_27_x86_64'],
  downloadBytes: 274e6,
  unpackedBytes: 855e6,
};

/** There is no tensorflow-cpu for this architecture; `tensorflow` is built without CUDA there. */
const CPU_ARM64: WheelSet = {
  kind: 'cpu',
  wheels: [tensorflow('tensorflow', '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c')],
  platforms: ['manylinux_2_27_aarch64'],
  downloadBytes: 282e6,
  unpackedBytes: 885e6,
};

/** The wheel for CUDA 12 with the newest versions that its extra `and-cuda` allowed when this list was made. */
const CUDA_X64: WheelSet = {
  kind: 'cuda',
  wheels: [
    tensorflow('tensorflow', '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124'),
    nvidia('nvidia-cublas-cu12', '12.9.3.13', 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'),
    nvidia('nvidia-cuda-cupti-cu12', '12.8.90', 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182'),
    nvidia('nvidia-cuda-nvcc-cu12', '12.9.86', '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0'),
    nvidia('nvidia-cuda-nvrtc-cu12', '12.9.86', '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'),
    nvidia('nvidia-cuda-runtime-cu12', '12.9.79', '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'),
    nvidia('nvidia-cudnn-cu12', '9.28.0.42', '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'),
    nvidia('nvidia-cufft-cu12', '11.4.1.4', 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'),
    nvidia('nvidia-curand-cu12', '10.3.10.19', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'),
    nvidia('nvidia-cusolver-cu12', '11.7.5.82', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'),
    nvidia('nvidia-cusparse-cu12', '12.5.10.65', '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'),
    nvidia('nvidia-nccl-cu12', '2.32.3', 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'),
    nvidia('nvidia-nvjitlink-cu12', '12.9.86', 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'),
  ],
  platforms: ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux_2_12_x86_64', 'manylinux2010_x86_64'],
  downloadBytes: 3.38e9,
  unpackedBytes: 5.68e9,
};

/** What decides which wheels fit: `process.platform`, `process.arch`, and glibc's version (absent on musl). */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly glibc?: string;
}

/** This machine. */
export function thisMachine(): Machine {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const glibc = report.header?.glibcVersionRuntime;
  return { platform: process.platform, arch: process.arch, ...(glibc && { glibc }) };
}

/**
 * The wheels for a machine.
 * @throws EngineError where PyPI has none that set-up knows.
 */
export function wheelsFor(machine: Machine, cuda: boolean): WheelSet {
  const place = `${machine.platform}/${machine.arch}`;
  const remedy = 'Steps run on the wasm backend there (engine.kind: eager); or build libtensorflow and name its folder in MIMLAB_TENSORFLOW.';
  const set = machine.arch === 'x64' ? (cuda ? CUDA_X64 : CPU_X64) : machine.arch === 'arm64' && !cuda ? CPU_ARM64 : undefined;
  if (machine.platform !== 'linux' || !set) {
    throw new EngineError(`set-up knows no TensorFlow ${TENSORFLOW_VERSION} wheel${cuda ? ' with CUDA' : ''} for this platform`, { place, remedy });
  }
  if (machine.glibc === undefined || !atLeast(machine.glibc, 2, 27)) {
    const has = machine.glibc === undefined ? 'has none' : `has ${machine.glibc}`;
    throw new EngineError(`TensorFlow's wheels need glibc 2.27 or newer; this system ${has}`, { place, remedy });
  }
  return set;
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
