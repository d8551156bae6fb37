// kafkajs is CommonJS, and Node finds only some of its names by itself: they are all taken from the whole.
import kafkajs from 'kafkajs'

export const {
  AssignerProtocol,
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  KafkaJSNonRetriableError,
  logLevel,
} = kafkajs
