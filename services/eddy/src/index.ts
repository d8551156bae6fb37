export { type Configuration, configurationSchema } from './configuration.ts'
