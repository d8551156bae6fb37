// `node -C source scripts/kafka-image.ts`: the Kafka image of the tests, made here where none is there or can be pulled.
import { buildKafkaImage, kafkaImage } from '../test/fixtures/kafka-image/index.ts'

console.log(kafkaImage() ?? (await buildKafkaImage()))
