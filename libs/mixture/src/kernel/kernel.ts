import { type Mixture, mixture } from '../em/mixture.ts'
import type { Family } from '../families/family.ts'
import type { Accelerable, GaussianKernel } from '../families/gaussian/gaussian-kernel.ts'
import { isProduct, product } from '../families/product.ts'
import { compiledGaussian } from './compiled-gaussian.ts'
import { compiledMixture } from './compiled-mixture.ts'
import { instantiate, type KernelChoice, type KernelInfo, kernelInfo } from './engine.ts'
import { kernelForm } from './form.ts'
import { KernelInstance } from './loaded-kernel.ts'

export interface KernelOptions {
  /**
   * A component whose weighted density is at most this share of an event's largest counts as 0 in that event: its density need
   * not be worked out to the end, and it adds nothing to the statistics. A sum's rounding is larger than what is lost; the error of
   * a component's statistics is below this over its share of all weight. Default 1e-17; 0 to leave nothing out.
   */
  readonly negligible?: number
}

/** What the work of mixtures is done by. Mixtures may share one, as long as they are on one thread; it is never changed. */
export interface Kernel {
  readonly info: KernelInfo
  /** The same mixture with its work done by this kernel, where it knows the form. */
  accelerate(reference: Mixture): Mixture
}

const NEGLIGIBLE = 1e-17

/**
 * A kernel of its own memory.
 * @throws {KernelError} if the compiled kernel is demanded and does not run here
 */
export function createKernel(choice: KernelChoice = 'auto', { negligible = NEGLIGIBLE }: KernelOptions = {}): Kernel {
  const exports = instantiate(choice)
  const info = kernelInfo(choice)
  if (exports === undefined) return { info, accelerate: reference => reference }
  const cut = Math.max(-708, Math.log(negligible))
  const instance = new KernelInstance(exports, cut, choice === 'webassembly-f32')
  const gaussians = compiledGaussian(instance)
  return { info, accelerate: reference => accelerated(reference, instance, gaussians) }
}

let shared: Kernel | undefined

/** The kernel of those who ask for none: `auto`, one a thread. */
export function sharedKernel(): Kernel {
  shared ??= createKernel()
  return shared
}

function accelerated(reference: Mixture, instance: KernelInstance, gaussians: GaussianKernel): Mixture {
  const mixed = mixture(withKernel(reference.inner, gaussians))
  const form = kernelForm(mixed.inner)
  if (form === undefined) return mixed
  const { expectation, score } = compiledMixture(instance, form, mixed)
  return {
    ...mixed,
    expectation,
    score,
    observe: (into, block, responsibilities, parameters) => {
      expectation(parameters, block, responsibilities, into)
    },
  }
}

const isAccelerable = (family: Family): family is Family & Accelerable => 'withKernel' in family

function withKernel(family: Family, kernel: GaussianKernel): Family {
  if (isAccelerable(family)) return family.withKernel(kernel)
  if (!isProduct(family)) return family
  return product(family.factors.map(factor => ({ ...factor, family: withKernel(factor.family, kernel) })))
}
